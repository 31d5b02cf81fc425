import { useEffect } from "react";
import type { Task } from "../../api/types";
import type { Desk } from "./desk";

/** Where letters and digits have a meaning of their own. */
const TAKEN = "input, textarea, select, [contenteditable], [role=menu], [role=listbox], dialog";

/** 1-9: a label, 0: none of them, S: skip, U: undo. */
export function useKeys(current: Task | undefined, none: string, desk: Desk) {
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      // A key that is held down must not answer one image after the other.
      if (event.repeat) {
        if (event.key === "Enter") event.preventDefault();
        return;
      }
      if (event.target instanceof Element && event.target.closest(TAKEN)) return;
      const key = event.key.toLowerCase();
      const label = /^[1-9]$/.test(key) ? current?.labels[Number(key) - 1] : undefined;
      if (key === "u") desk.undo();
      else if (key === "s") desk.skip();
      else if (key === "0") desk.answer(none);
      else if (label) desk.answer(label);
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [current, none, desk]);
}
