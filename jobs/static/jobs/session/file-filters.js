/** Which files of the session are shown: kinds, a search, pages. Links and a form that stay on the page: uploads go on. */

import { setText } from "../../bulktranscribe/keyed-list.js";

const WAIT_MS = 250; // after the last letter of a search

export class FileFilters {
  constructor(page, words, ask) {
    this.page = page;
    this.words = words;
    this.ask = ask;
    this.form = page.querySelector(".find-file");
    this.query = location.search;
    page.addEventListener("click", (event) => this.follow(event));
    this.form.addEventListener("submit", (event) => this.find(event));
    this.form.addEventListener("input", () => this.findSoon());
    addEventListener("popstate", () => this.go(location.search));
  }

  show({ show, page, pages, found, counts, q }, { files }) {
    this.part("choose").hidden = !files;
    this.part("nothing").hidden = found > 0 || !files;
    for (const tab of this.page.querySelectorAll("[data-show]")) {
      setText(tab.querySelector("[data-field=n]"), counts[tab.dataset.show]);
      tab.setAttribute("href", this.address({ show: tab.dataset.show, page: 1 }));
      if (tab.dataset.show === show) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    this.form.elements.show.value = show;
    if (document.activeElement !== this.form.elements.q) this.form.elements.q.value = q;
    this.part("pages").hidden = pages === 1;
    setText(this.part("page"), this.words.say("page-of", { n: page, of: pages }));
    this.lead(this.part("before"), page > 1 && page - 1);
    this.lead(this.part("after"), page < pages && page + 1);
  }

  lead(link, page) {
    if (page) {
      link.setAttribute("href", this.address({ page }));
      link.removeAttribute("aria-disabled");
    } else {
      link.removeAttribute("href");
      link.setAttribute("aria-disabled", "true");
    }
  }

  address(changes) {
    const query = new URLSearchParams(this.query);
    query.delete("again");
    for (const [name, value] of Object.entries(changes)) query.set(name, value);
    const usual = { show: "all", q: "", page: "1" };
    for (const [name, value] of Object.entries(usual)) if (query.get(name) === value) query.delete(name);
    return `?${query}`;
  }

  follow(event) {
    const link = event.target.closest(".choose-files a[href], .pages a[href]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const isPage = link.closest(".pages") !== null;
    this.push(link.getAttribute("href"));
    if (isPage) this.page.querySelector(".choose-files").scrollIntoView();
  }

  find(event) {
    event.preventDefault();
    clearTimeout(this.timer);
    this.push(this.address({ q: this.form.elements.q.value.trim(), page: 1 }));
  }

  findSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.form.requestSubmit(), WAIT_MS);
  }

  push(query) {
    if (query === this.query || (query === "?" && !this.query)) return;
    history.pushState(null, "", query === "?" ? location.pathname : query);
    this.go(query === "?" ? "" : query);
  }

  go(query) {
    this.query = query;
    this.ask();
  }

  part(name) {
    return this.page.querySelector(`[data-field="${name}"]`);
  }
}
