// The form of a call, made from its schema, and the JSON beside it: what is changed in one shows in the other.
"use strict";

(async () => {
  const place = document.getElementById("made");
  const text = document.getElementById("payload");
  if (!place || !text) return;
  const answer = await fetch(place.dataset.schema);
  if (!answer.ok) return;
  const schema = await answer.json();
  let value;
  try {
    value = JSON.parse(text.value);
  } catch {
    value = {};
  }
  let counter = 0;

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, content] of Object.entries(attributes)) {
      if (name in element && typeof content !== "string") element[name] = content;
      else element.setAttribute(name, content);
    }
    element.append(...children);
    return element;
  };
  const write = () => {
    text.value = JSON.stringify(value, null, 2);
  };

  // Builds the part for one schema; `get` and `set` reach its value, undefined where it is left out.
  function build(part, name, required, get, set) {
    const id = "made-" + counter++;
    const label = make("label", { for: id }, name + (required ? " *" : ""));
    if (part.enum) {
      const select = make("select", { id });
      if (!required) select.append(make("option", { value: "" }, "–"));
      for (const choice of part.enum) select.append(make("option", { value: choice }, choice));
      if (get() === undefined && required) set(part.enum[0]);
      select.value = get() ?? "";
      select.addEventListener("change", () => { set(select.value === "" ? undefined : select.value); write(); });
      return make("div", { class: "field" }, label, select);
    }
    if (part.type === "boolean") {
      const select = make("select", { id });
      for (const choice of required ? ["false", "true"] : ["", "false", "true"]) select.append(make("option", { value: choice }, choice || "–"));
      if (get() === undefined && required) set(false);
      select.value = get() === undefined ? "" : String(get());
      select.addEventListener("change", () => { set(select.value === "" ? undefined : select.value === "true"); write(); });
      return make("div", { class: "field" }, label, select);
    }
    if (part.type === "object") {
      const body = make("div");
      const fill = () => {
        body.textContent = "";
        for (const [member, of] of Object.entries(part.properties)) {
          const needed = part.required.includes(member);
          body.append(build(of, member, needed, () => get()?.[member], (content) => {
            const whole = get() ?? {};
            if (content === undefined) delete whole[member];
            else whole[member] = content;
            set(whole);
          }));
        }
      };
      if (required) {
        if (get() === undefined) set({});
        fill();
        return name ? make("fieldset", {}, make("legend", {}, name + " *"), body) : body;
      }
      const box = make("input", { type: "checkbox", id, checked: get() !== undefined });
      const toggle = () => {
        if (box.checked) { if (get() === undefined) set({}); fill(); } else { set(undefined); body.textContent = ""; }
      };
      if (box.checked) fill();
      box.addEventListener("change", () => { toggle(); write(); });
      return make("fieldset", {}, make("legend", {}, make("label", {}, box, name)), body);
    }
    if (part.type === "array") {
      const items = make("div");
      const draw = () => {
        items.textContent = "";
        (get() ?? []).forEach((_, index) => {
          const remove = make("button", { type: "button", class: "quiet small" }, place.dataset.remove);
          remove.addEventListener("click", () => {
            get().splice(index, 1);
            if (get().length === 0) set(undefined);
            draw();
            write();
          });
          items.append(build(part.items, name + " " + (index + 1), true, () => get()[index], (content) => { get()[index] = content; }), remove);
        });
      };
      const add = make("button", { type: "button", class: "quiet small" }, place.dataset.add);
      const empty = () => (part.items.type === "object" ? {} : part.items.type === "array" ? [] : undefined);
      add.addEventListener("click", () => {
        set([...(get() ?? []), empty()]);
        draw();
        write();
      });
      if (required && get() === undefined) set([empty()]);
      draw();
      return make("fieldset", {}, make("legend", {}, name + (required ? " *" : "")), items, add);
    }
    const number = part.type === "integer" || part.type === "number";
    const input = make("input", { id, type: number ? "number" : "text", autocomplete: "off" });
    if (part.type === "number") input.step = "any";
    if (part.maxLength) input.maxLength = part.maxLength;
    if (part.format === "date-time") input.placeholder = new Date().toISOString();
    const shown = get();
    input.value = shown === undefined ? "" : typeof shown === "object" ? JSON.stringify(shown) : shown;
    input.addEventListener("input", () => {
      let content = input.value;
      if (content === "") content = undefined;
      else if (number) content = Number(content);
      else if (!part.type) { try { content = JSON.parse(content); } catch { /* text it is */ } }
      set(content);
      write();
    });
    return make("div", { class: "field" }, label, input);
  }

  const draw = () => {
    place.textContent = "";
    place.append(build(schema, "", true, () => value, (content) => { value = content; }));
  };
  draw();
  if (text.value.trim() === "{}") write();
  text.addEventListener("change", () => {
    try {
      value = JSON.parse(text.value);
      draw();
    } catch { /* not JSON yet */ }
  });
})();
