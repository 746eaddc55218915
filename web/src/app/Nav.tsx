import { groupBy } from "../shared/group";
import { ActionIcon, Drawer, Tooltip, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, useLocation } from "@tanstack/react-router";
import { CircleHelp, Menu as MenuIcon, Eye, OctagonX, Search, Unplug } from "lucide-react";
import { useEffect } from "react";
import { useLiveness } from "../api/live";
import { useSilentSince } from "../api/reach";
import type { SwitchView } from "../generated/types.gen";
import { Ago } from "../shared/Ago";
import { plural } from "../shared/numbers";
import { Account } from "./Account";
import type { Place } from "./places";
import { Keys } from "./shortcuts";
import classes from "./app.module.css";

export function Brand() {
  return (
    <span className={classes.brand}>
      <img src="/icon.svg" width="22" height="22" alt="" />
      Runplane
    </span>
  );
}

function Count({ place, waiting }: { place: Place; waiting: number }) {
  if (place.to !== "/approvals" || waiting === 0) return null;
  return (
    <span className={classes.count} aria-label={`${waiting} waiting`}>
      {waiting > 99 ? "99+" : waiting}
    </span>
  );
}

function Links({ places, waiting, onClick }: { places: readonly Place[]; waiting: number; onClick?: () => void }) {
  const groups = groupBy(places, ({ group }) => group);
  return [...groups].map(([group, members]) => (
    <div key={group} className={classes.group}>
      <h2>{group}</h2>
      {members.map((place) => (
        <Link
          key={place.to}
          to={place.to}
          className={classes.link}
          activeOptions={{ exact: place.to === "/", includeSearch: false }}
          activeProps={{ "data-active": true }}
          title={`${place.about} (g ${place.key})`}
          onClick={onClick}
        >
          <place.icon size={16} strokeWidth={1.8} aria-hidden />
          {place.name}
          <Count place={place} waiting={waiting} />
        </Link>
      ))}
    </div>
  ));
}

export function Sidebar(props: { places: readonly Place[]; waiting: number; openPalette: () => void; openHelp: () => void }) {
  return (
    <aside className={classes.sidebar}>
      <div className={classes.sidebarHead}>
        <Brand />
      </div>
      <UnstyledButton className={classes.jump} onClick={props.openPalette}>
        <Search size={14} aria-hidden />
        Search or jump
        <Keys keys="mod+k" />
      </UnstyledButton>
      <nav aria-label="Pages" className={classes.nav}>
        <Links places={props.places} waiting={props.waiting} />
      </nav>
      <div className={classes.sidebarFoot}>
        <LiveMark />
        <Tooltip label="Keyboard shortcuts">
          <ActionIcon aria-label="Keyboard shortcuts" onClick={props.openHelp} ml="auto">
            <CircleHelp size={15} />
          </ActionIcon>
        </Tooltip>
      </div>
      <Account />
    </aside>
  );
}

const LIVE = {
  live: ["Live", "New events arrive as they happen"],
  polling: ["Every 5 s", "The event stream is not connected; lists are asked again every five seconds"],
  silent: ["No answer", "The server does not answer; what you see is old"],
  offline: ["Offline", "This machine has no network; what you see may be old"],
} as const;

function LiveMark() {
  const liveness = useLiveness();
  const silent = useSilentSince() !== undefined;
  const state = silent && liveness !== "offline" ? "silent" : liveness;
  const [word, sentence] = LIVE[state];
  return (
    <span className={classes.live} data-state={state} title={sentence} role="status">
      <i aria-hidden />
      {word}
    </span>
  );
}

/** On a phone: the three pages one needs on the way, and a drawer with the rest. */
export function Tabs({ places, waiting }: { places: readonly Place[]; waiting: number }) {
  const [opened, drawer] = useDisclosure();
  const { pathname } = useLocation();
  useEffect(drawer.close, [pathname]);
  const first = places.filter(({ to }) => to === "/" || to === "/approvals" || to === "/decisions");
  return (
    <nav className={classes.tabs} aria-label="Pages">
      {first.map((place) => (
        <Link key={place.to} to={place.to} activeOptions={{ exact: place.to === "/", includeSearch: false }} activeProps={{ "data-active": true }}>
          <span>
            <place.icon size={20} strokeWidth={1.7} aria-hidden />
            <Count place={place} waiting={waiting} />
          </span>
          {place.name}
        </Link>
      ))}
      <button type="button" onClick={drawer.open} aria-expanded={opened}>
        <span>
          <MenuIcon size={20} strokeWidth={1.7} aria-hidden />
        </span>
        More
      </button>
      <Drawer opened={opened} onClose={drawer.close} position="bottom" size="auto" title={<Brand />} closeButtonProps={{ "aria-label": "Close" }}>
        <div className={classes.sheet}>
          <Links places={places} waiting={waiting} onClick={drawer.close} />
        </div>
        <Account />
      </Drawer>
    </nav>
  );
}

/** Says on every page that something is stopped, or that nothing is. */
export function Banners({ switches, observingUntil }: { switches: readonly SwitchView[]; observingUntil: string | null | undefined }) {
  const all = switches.find(({ scope }) => scope === "workspace");
  const text = all === undefined ? `${plural(switches.length, "containment switch", "containment switches")} on` : "Everything is stopped: every action of every agent is blocked";
  const observing = observingUntil != null && Date.parse(observingUntil) > Date.now();
  const silentSince = useSilentSince();
  return (
    <div className={classes.banners}>
      {silentSince === undefined ? null : (
        <div className={classes.banner} data-tone="hold" role="alert">
          <Unplug size={15} aria-hidden />
          <span>
            The server stopped answering <Ago at={new Date(silentSince).toISOString()} />: what you see is older. Check that it runs and that this
            machine reaches it; the page keeps trying.
          </span>
        </div>
      )}
      {switches.length === 0 ? null : (
        <div className={classes.banner} role="status">
          <OctagonX size={15} aria-hidden />
          <span>{text}</span>
          <Link to="/containment">Show</Link>
        </div>
      )}
      {observing ? (
        <div className={classes.banner} data-tone="hold" role="status">
          <Eye size={15} aria-hidden />
          <span>Only observing: policies stop nothing. They are enforced again <Ago at={observingUntil} /></span>
          <Link to="/shadow">What would change</Link>
          <Link to="/settings" hash="observing">Settings</Link>
        </div>
      ) : null}
    </div>
  );
}
