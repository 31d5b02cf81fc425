import { useEffect, useState, useSyncExternalStore } from "react";
import { beforeSignOut } from "../../api/session";
import { Desk, type View } from "./desk";

const LOOK_MS = 4000;
const PRESENCE = ["keydown", "pointerdown", "pointermove"] as const;

/** A desk that is open as long as the page is shown. */
export function useDesk(): [View, Desk] {
  const [desk] = useState(() => new Desk());
  useEffect(() => {
    desk.open();
    const timer = setInterval(desk.look, LOOK_MS);
    const comeBack = (event: PageTransitionEvent) => event.persisted && desk.open();
    const stay = beforeSignOut(desk.close);
    window.addEventListener("pagehide", desk.close);
    window.addEventListener("pageshow", comeBack);
    for (const sign of PRESENCE) window.addEventListener(sign, desk.touch);
    return () => {
      clearInterval(timer);
      stay();
      window.removeEventListener("pagehide", desk.close);
      window.removeEventListener("pageshow", comeBack);
      for (const sign of PRESENCE) window.removeEventListener(sign, desk.touch);
      void desk.close();
    };
  }, [desk]);
  return [useSyncExternalStore(desk.subscribe, desk.view), desk];
}
