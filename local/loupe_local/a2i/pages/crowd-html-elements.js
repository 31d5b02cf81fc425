// A small version of the crowd elements that Loupe's task page uses, with the answers that the
// service's own elements give: { [element's name]: its value }.

class CrowdImageClassifier extends HTMLElement {
  connectedCallback() {
    // The form moves it, which connects it once more.
    whenParsed(() => this.firstElementChild?.className !== "shown" && this.show());
  }

  get value() {
    const chosen = this.querySelector("input:checked");
    return chosen ? { label: chosen.value } : null;
  }

  show() {
    const instructions = make("section");
    for (const part of this.querySelectorAll("short-instructions, full-instructions")) {
      const box = part.localName === "full-instructions" ? make("details") : make("div");
      if (box.localName === "details") {
        box.append(make("summary", part.getAttribute("header") || "Instructions"));
      }
      box.append(...part.childNodes);
      instructions.append(box);
    }
    const image = make("img");
    image.src = this.getAttribute("src");
    image.alt = "The image to label";
    const choice = make("fieldset");
    choice.append(make("legend", "Select an option"));
    for (const category of JSON.parse(this.getAttribute("categories"))) {
      const label = make("label");
      const radio = make("input");
      Object.assign(radio, { type: "radio", name: this.getAttribute("name"), value: category, required: true });
      label.append(radio, ` ${category}`);
      choice.append(label);
    }
    const work = make("div");
    work.className = "work";
    work.append(instructions, image, choice);
    const heading = make("h1", this.getAttribute("header"));
    heading.className = "shown";
    this.replaceChildren(heading, work);
  }
}

class CrowdForm extends HTMLElement {
  connectedCallback() {
    whenParsed(() => this.show());
  }

  show() {
    const form = make("form");
    form.append(...this.childNodes);
    this.problem = make("p");
    this.problem.className = "problem";
    this.problem.setAttribute("role", "alert");
    this.submit = make("button", "Submit");
    form.append(this.problem, this.submit);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(this.answer(form));
    });
    this.replaceChildren(form);
  }

  answer(form) {
    const widgets = [...form.querySelectorAll("*")].filter((found) => found instanceof CrowdImageClassifier);
    const answer = Object.fromEntries(widgets.map((widget) => [widget.getAttribute("name"), widget.value]));
    for (const [name, value] of new FormData(form)) {
      answer[name] ??= value;
    }
    return answer;
  }

  async send(answer) {
    const { loop, worker, accepted } = document.body.dataset;
    this.submit.disabled = true;
    try {
      const reply = await fetch(`/_loupe/a2i/loops/${encodeURIComponent(loop)}/answers`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ worker, answer, accepted: Number(accepted) }),
      });
      if (!reply.ok) {
        throw new Error((await reply.json()).message);
      }
      location.assign(`/_loupe/a2i/next?worker=${encodeURIComponent(worker)}`);
    } catch (error) {
      this.problem.textContent = `The answer was not taken: ${error.message}`;
      this.submit.disabled = false;
    }
  }
}

function make(tag, text = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

// An element is connected when its start tag is read; what it holds comes later.
function whenParsed(act) {
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", act, { once: true });
  } else {
    act();
  }
}

customElements.define("crowd-image-classifier", CrowdImageClassifier);
customElements.define("crowd-form", CrowdForm);
