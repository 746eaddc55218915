import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { useLive } from "../api/live";
import { useMay, useSession } from "../api/session";
import { useInbox } from "../approvals/inbox";
import { useApprovalNotices } from "../approvals/notices";
import { listSwitchesOptions } from "../generated/@tanstack/react-query.gen";
import { useWaitingInTitle } from "../shared/Page";
import { Help } from "./Help";
import { Banners, Sidebar, Tabs } from "./Nav";
import { Palette } from "./Palette";
import { PLACES } from "./places";
import { useShortcuts } from "./shortcuts";
import classes from "./app.module.css";

/** Everything around a page, for somebody who is signed in. */
export function Shell() {
  const session = useSession();
  const navigate = useNavigate();
  const [palette, openPalette] = useDisclosure();
  const [help, openHelp] = useDisclosure();
  const waiting = useInbox().waiting;
  const switches = useQuery(listSwitchesOptions()).data?.switches ?? [];
  useLive(session.signedIn);
  // Those who may not decide are not called.
  const mayDecide = useMay("approve");
  useWaitingInTitle(mayDecide ? waiting : 0);
  useApprovalNotices(mayDecide);

  const places = PLACES.filter(({ needs }) => session.may?.includes(needs));
  useShortcuts([
    { keys: "mod+k", label: "Search or jump", group: "Everywhere", run: openPalette.toggle, always: true },
    { keys: "?", label: "This help", group: "Everywhere", run: openHelp.toggle },
    ...places.map((place) => ({ keys: `g ${place.key}`, label: place.name, group: "Go to", run: () => void navigate({ to: place.to }) })),
  ]);

  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        Skip to the page
      </a>
      <Sidebar places={places} waiting={waiting} openPalette={openPalette.open} openHelp={openHelp.open} />
      <div className={classes.column}>
        <Banners switches={switches} observingUntil={session.observingUntil} />
        <main id="main" className={classes.main} tabIndex={-1}>
          <Outlet />
        </main>
        <Tabs places={places} waiting={waiting} />
      </div>
      <Palette opened={palette} close={openPalette.close} />
      <Help opened={help} close={openHelp.close} />
    </div>
  );
}
