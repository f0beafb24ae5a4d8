/** Numbers and sentences for people. The sentences come from the page, where Django has translated them. */

/** `75.2` → `1:15`, `3675` → `1:01:15`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const rest = [Math.floor(whole / 60) % 60, whole % 60];
  const hours = Math.floor(whole / 3600);
  if (hours) return `${hours}:${rest.map((part) => String(part).padStart(2, "0")).join(":")}`;
  return `${rest[0]}:${String(rest[1]).padStart(2, "0")}`;
}

/** Sentences by key; `{name}` in one is replaced by the value of that name. */
export class Words {
  constructor(sentences, locale = "en") {
    this.sentences = sentences;
    this.plural = new Intl.PluralRules(locale);
    this.number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  }

  /** Read the sentences of a <template>: each of its elements has a key in data-word. */
  static from(template) {
    const entries = [...template.content.querySelectorAll("[data-word]")].map((element) => [
      element.dataset.word,
      element.textContent.trim(),
    ]);
    return new Words(Object.fromEntries(entries), document.documentElement.lang || "en");
  }

  knows(key) {
    return key in this.sentences;
  }

  say(key, values = {}) {
    const sentence = this.sentences[key];
    if (sentence === undefined) throw new Error(`No sentence for ${key}`);
    return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** Say the form of `key` that goes with the number `n`: `key.one`, `key.few`, … or `key.other`. */
  count(key, n, values = {}) {
    const form = `${key}.${this.plural.select(n)}`;
    return this.say(form in this.sentences ? form : `${key}.other`, { n: this.number.format(n), ...values });
  }

  /** A length of time: `40 s`, `9 min`, `1 h 12 min`. */
  duration(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return this.say("seconds", { s: whole });
    const minutes = Math.round(whole / 60);
    if (minutes < 60) return this.say("minutes", { m: minutes });
    return this.say("hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
  }

  /** A size as `jobs/pages/sizes.py` writes it: a megabyte is 1,000,000 bytes. */
  size(bytes) {
    const units = ["bytes", "KB", "MB", "GB", "TB"];
    let [amount, power] = [bytes, 0];
    while (amount >= 1000 && power < units.length - 1) [amount, power] = [amount / 1000, power + 1];
    return `${power ? amount.toFixed(1) : amount}\u00a0${units[power]}`;
  }
}
