/** Lists that stay in place: one element an id, made once, moved and removed, never rebuilt. */

const NIL = "00000000-0000-0000-0000-000000000000";

/** Copy the one element of a <template>; addresses and ids in it get `id` in place of the nil id. */
export function copyFor(template, id) {
  const made = template.content.firstElementChild.cloneNode(true);
  for (const element of [made, ...made.querySelectorAll("*")]) {
    for (const attribute of element.attributes) {
      if (attribute.value.includes(NIL)) attribute.value = attribute.value.replaceAll(NIL, id);
    }
  }
  return made;
}

/** Make the [data-id] children of `list` show `items`, in their order. `show(element, item)` fills one. */
export function showKeyed(list, items, template, show) {
  const present = new Map([...list.children].filter((child) => child.dataset.id).map((child) => [child.dataset.id, child]));
  const wanted = new Set(items.map((item) => item.id));
  for (const [id, element] of present) if (!wanted.has(id)) element.remove();
  let next = firstKeyed(list);
  for (const item of items) {
    const element = present.get(item.id) ?? copyFor(template, item.id);
    if (element === next) next = nextKeyed(next);
    else list.insertBefore(element, next);
    show(element, item);
  }
}

/** Return a function that finds the part of `element` with this data-field, outside of nested rows. */
export function fieldsOf(element) {
  const fields = new Map();
  for (const part of element.querySelectorAll("[data-field]")) {
    if (part.closest("[data-id]") === element && !fields.has(part.dataset.field)) fields.set(part.dataset.field, part);
  }
  return (name) => fields.get(name);
}

/** Set a text only where it differs: selections and screen readers are left alone. */
export function setText(element, text) {
  const next = String(text ?? "");
  if (element.textContent.trim() !== next) element.textContent = next;
}

/** Hide or show; focus never falls to the page's top because what held it went away. */
export function setHidden(element, hidden) {
  if (hidden && element.contains(document.activeElement)) element.closest("[tabindex='-1']")?.focus({ preventScroll: true });
  element.hidden = hidden;
}

function firstKeyed(list) {
  return [...list.children].find((child) => child.dataset.id) ?? null;
}

function nextKeyed(element) {
  let next = element.nextElementSibling;
  while (next && !next.dataset.id) next = next.nextElementSibling;
  return next;
}
