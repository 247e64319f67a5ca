// What the page shows, made of elements; texts of items are never read as HTML.

// A longer value is a text of its own, which no card has room for.
const LONG = 40;

/** An element with attributes and what it holds. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** How an item is called, and what else is known of it. */
export function describe(id, attributes, main) {
  const written = (value) => (Array.isArray(value) ? value.join(", ") : value === null || value === undefined ? "" : String(value));
  const said = written(attributes?.[main]) || id;
  const rest = Object.entries(attributes ?? {}).filter(([name]) => name !== main).map(([, value]) => written(value));
  const short = [...new Set(rest)].filter((text) => text && text !== "null" && text !== said && text.length <= LONG);
  return { said, rest: [...short, ...(said === id ? [] : [id])].join(" · ") };
}

/** A button of an item; pressing it is a click in the sense of the model. */
export function itemButton(item, { pressed, own, onclick, before = [], after = [] }) {
  return make(
    "button",
    { type: "button", class: own ? "item own" : "item", "data-id": item.id, "aria-pressed": String(pressed), click: onclick },
    ...before,
    make("span", { class: "said" }, item.said),
    item.rest && !before.length ? make("span", { class: "rest" }, item.rest) : undefined,
    ...after,
  );
}

/** Replace what an element holds, and keep the focus where it was. */
export function fill(element, children) {
  const held = element.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
  element.replaceChildren(...children);
  if (held !== undefined) element.querySelector(`[data-id="${CSS.escape(held)}"]`)?.focus();
}
