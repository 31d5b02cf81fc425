import { useEffect, useState, useSyncExternalStore } from "react";
import { api } from "../../api/client";
import { beforeSignOut } from "../../api/session";
import { Desk, type View } from "./desk";
import { preloader } from "./preload";

const LOOK_MS = 4000;
const PRESENCE = ["keydown", "pointerdown", "pointermove"] as const;

/** A desk that is open as long as the page is shown. */
export function useDesk(): [View, Desk] {
  const [desk] = useState(() => new Desk(api, preloader()));
  useEffect(() => {
    desk.open();
    const timer = setInterval(() => !document.hidden && desk.look(), LOOK_MS);
    const comeBack = (event: PageTransitionEvent) => event.persisted && desk.open();
    const leave = () => void desk.close();
    const stay = beforeSignOut(desk.close);
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", comeBack);
    for (const sign of PRESENCE) window.addEventListener(sign, desk.touch);
    return () => {
      clearInterval(timer);
      stay();
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("pageshow", comeBack);
      for (const sign of PRESENCE) window.removeEventListener(sign, desk.touch);
      leave();
    };
  }, [desk]);
  return [useSyncExternalStore(desk.subscribe, desk.view), desk];
}
