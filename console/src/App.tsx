import AppLayout from "@cloudscape-design/components/app-layout";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import { I18nProvider } from "@cloudscape-design/components/i18n";
import messages from "@cloudscape-design/components/i18n/messages/all.en";
import SideNavigation from "@cloudscape-design/components/side-navigation";
import Spinner from "@cloudscape-design/components/spinner";
import TopNavigation from "@cloudscape-design/components/top-navigation";
import { Mode, applyMode } from "@cloudscape-design/global-styles";
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { api } from "./api/client";
import type { Me, Role } from "./api/types";
import { Activity } from "./pages/activity/Activity";
import { Conflicts } from "./pages/conflicts/Conflicts";
import { Dataset } from "./pages/dataset/Dataset";
import { Detect } from "./pages/detect/Detect";
import { Models } from "./pages/models/Models";
import { Overview } from "./pages/overview/Overview";
import { Review } from "./pages/review/Review";
import { Reviewers } from "./pages/reviewers/Reviewers";
import { Settings } from "./pages/settings/Settings";
import { SignIn } from "./pages/sign-in/SignIn";
import { Failed } from "./parts/Failed";
import { useLoad } from "./parts/useLoad";
import { go, link, useRoute } from "./parts/route";
import { isSignedIn, loadConfig, onEnd, signOut } from "./api/session";

interface PageOf {
  name: string;
  title: string;
  roles: Role[];
  show: () => ReactNode;
}

const EVERYONE: Role[] = ["operator", "consumer", "reviewer"];

const PAGES: PageOf[] = [
  { name: "overview", title: "Overview", roles: EVERYONE, show: () => <Overview /> },
  { name: "detect", title: "Detect", roles: ["consumer"], show: () => <Detect /> },
  { name: "review", title: "Review", roles: ["reviewer"], show: () => <Review /> },
  { name: "dataset", title: "Dataset", roles: ["operator"], show: () => <Dataset /> },
  { name: "models", title: "Models", roles: ["operator"], show: () => <Models /> },
  { name: "reviewers", title: "Reviewers", roles: ["operator"], show: () => <Reviewers /> },
  { name: "settings", title: "Settings", roles: ["operator"], show: () => <Settings /> },
  { name: "activity", title: "Activity", roles: ["operator"], show: () => <Activity /> },
  { name: "conflicts", title: "Conflicts", roles: ["operator"], show: () => <Conflicts /> },
];

const FIRST: [Role, string][] = [
  ["operator", "overview"],
  ["consumer", "detect"],
  ["reviewer", "review"],
];

const DARK = "loupe-dark";
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
const wide = window.matchMedia("(min-width: 900px)");

/** Dark as the system is, until the reader has chosen. */
function useDark(): [boolean, (dark: boolean) => void] {
  const system = useSyncExternalStore(
    (listener) => {
      systemDark.addEventListener("change", listener);
      return () => systemDark.removeEventListener("change", listener);
    },
    () => systemDark.matches,
  );
  const [chosen, setChosen] = useState(() => localStorage.getItem(DARK));
  const dark = chosen === null ? system : chosen === "true";
  useEffect(() => applyMode(dark ? Mode.Dark : Mode.Light), [dark]);
  return [
    dark,
    (dark) => {
      localStorage.setItem(DARK, String(dark));
      setChosen(String(dark));
    },
  ];
}

export function App() {
  const [signedIn, setSignedIn] = useState(isSignedIn);
  const [farewell, setFarewell] = useState("");
  const [dark, setDark] = useDark();
  useEffect(
    () =>
      onEnd((reason) => {
        setFarewell(reason);
        setSignedIn(false);
      }),
    [],
  );
  return (
    <I18nProvider locale="en" messages={[messages]}>
      {signedIn ? (
        <Console dark={dark} setDark={setDark} />
      ) : (
        <SignIn
          farewell={farewell}
          done={() => {
            setFarewell("");
            setSignedIn(true);
          }}
        />
      )}
    </I18nProvider>
  );
}

function Console({ dark, setDark }: { dark: boolean; setDark: (dark: boolean) => void }) {
  const { data: me, error, refresh } = useLoad("me", api.me);
  const { data: config } = useLoad("config", loadConfig);
  if (!me && error) {
    return (
      <Box padding="xxxl">
        <Failed error={error} retry={refresh} />
        <Button variant="link" onClick={() => void signOut()}>
          Sign out
        </Button>
      </Box>
    );
  }
  if (!me) {
    return (
      <Box padding="xxxl" textAlign="center">
        <Spinner size="large" /> Loading Loupe…
      </Box>
    );
  }
  return (
    <>
      <a
        className="skip"
        href="#content"
        onClick={(event) => {
          // The hash says which page is shown, so this link must not follow itself.
          event.preventDefault();
          focusHeading();
        }}
      >
        Skip to the content
      </a>
      <div id="top">
        <TopNavigation
          identity={{
            href: link(""),
            title: config && config.stack !== "loupe" ? `Loupe · ${config.stack}` : "Loupe",
          }}
          utilities={[
            {
              type: "button",
              text: dark ? "Light" : "Dark",
              ariaLabel: dark ? "Change to light colours" : "Change to dark colours",
              onClick: () => setDark(!dark),
            },
            {
              type: "menu-dropdown",
              text: me.name,
              iconName: "user-profile",
              description: me.roles.join(", "),
              items: [{ id: "sign-out", text: "Sign out" }],
              onItemClick: () => void signOut(),
            },
          ]}
        />
      </div>
      <Pages me={me} />
    </>
  );
}

function focusHeading() {
  const heading = document.querySelector<HTMLElement>("#content h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus();
}

function Pages({ me }: { me: Me }) {
  const route = useRoute();
  const allowed = PAGES.filter(({ roles }) => roles.some((role) => me.roles.includes(role)));
  const first = FIRST.find(([role]) => me.roles.includes(role))?.[1] ?? "";
  const name = route.page || first;
  const page = allowed.find((candidate) => candidate.name === name);
  const [open, setOpen] = useState(wide.matches);
  const before = useRef(name);
  useEffect(() => {
    document.title = `${page?.title ?? "No such page"} · Loupe`;
    // A screen reader says where it is now; at the first page the browser's own start is right.
    if (name !== before.current) focusHeading();
    before.current = name;
  }, [page, name]);
  return (
    <AppLayout
      headerSelector="#top"
      toolsHide
      navigationOpen={open}
      onNavigationChange={({ detail }) => setOpen(detail.open)}
      ariaLabels={{
        navigation: "Pages",
        navigationToggle: "Show the pages",
        navigationClose: "Hide the pages",
      }}
      navigation={
        <SideNavigation
          activeHref={link(name)}
          onFollow={() => setOpen(wide.matches)}
          items={allowed.map(({ name, title }) => ({
            type: "link",
            text: title,
            href: link(name),
          }))}
        />
      }
      content={
        <div id="content">
          {page ? page.show() : <NoPage roles={me.roles} first={first} />}
        </div>
      }
    />
  );
}

function NoPage({ roles, first }: { roles: Role[]; first: string }) {
  return (
    <Box textAlign="center" padding="xxxl">
      <Box variant="h1">No such page</Box>
      <Box variant="p">
        {roles.length
          ? `There is no such page for you (${roles.join(", ")}).`
          : "You have no role yet. Ask an operator to give you one."}
      </Box>
      {first && <Button onClick={() => go(first)}>Go to the first page</Button>}
    </Box>
  );
}
