import { expect, test } from "vitest";
import type { LabelCount, Suspect } from "../../api/types";
import { choices, labelOf, trainedOnIt } from "./suspects";

const suspect: Suspect = {
  id: "1",
  image: "cat/1.png",
  picture: "",
  label: "cat",
  instead: "emu",
  lead: 90,
  version: "v2",
};
const labels = ["ant", "cat", "dog", "emu"].map(labelled);

function labelled(label: string): LabelCount {
  return { label, train: 1, test: 1, underrepresented: "" };
}

test("what the model says is the first choice, and the label itself is none", () => {
  expect(choices(suspect, labels)).toEqual(["emu", "ant", "dog"]);
});

test("there are at most as many choices as digits", () => {
  const many = Array.from({ length: 20 }, (_, n) => labelled(`label ${n}`));

  expect(choices(suspect, many)).toHaveLength(9);
});

test("Enter and Y confirm the label, and digits choose another one", () => {
  expect(labelOf("Enter", suspect, labels)).toBe("cat");
  expect(labelOf("Y", suspect, labels)).toBe("cat");
  expect(labelOf("1", suspect, labels)).toBe("emu");
  expect(labelOf("3", suspect, labels)).toBe("dog");
});

test("other keys decide nothing", () => {
  for (const key of ["4", "0", "x", "Escape"]) {
    expect(labelOf(key, suspect, labels)).toBeUndefined();
  }
});

test("a correction names the versions that learned the wrong label", () => {
  expect(trainedOnIt(["v3", "v2"])).toBe("Trained on the wrong label: v3, v2.");
  expect(trainedOnIt([])).toBe("None of the newest 20 versions was trained on the wrong label.");
});
