/** Addresses of the pages, and what of a page's state is in them. Pages are loaded when somebody goes there. */
import { useQuery } from "@tanstack/react-query";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, Outlet } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { sessionQuery } from "../api/session";
import { readFilters } from "../decisions/filters";
import { Page } from "../shared/Page";
import { Empty, Waiting } from "../shared/State";
import { Door, Unreached } from "../signin/Door";
import { SetUp } from "../signin/SetUp";
import { PageFailure, part } from "./parts";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: PageFailure });

const setUp = createRoute({ getParentRoute: () => root, path: "/setup", component: SetUp });

const inside = createRoute({ getParentRoute: () => root, id: "inside", component: Gate });

/** Shows the pages to those who are signed in, and the door to everybody else. */
function Gate() {
  const { data, error, refetch } = useQuery(sessionQuery);
  if (data === undefined) return error === null ? <div /> : <Unreached error={error} retry={() => void refetch()} />;
  return data.signedIn ? <Shell /> : <Door needsSetup={data.needsSetup} />;
}

function NotFound() {
  return (
    <Page title="Not found">
      <Empty icon={Compass} title="There is no such page">
        <p>The address may be cut short, or from a page that is called otherwise now.</p>
        <Link to="/">To the overview</Link>
      </Empty>
    </Page>
  );
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined);
const index = (value: unknown): number | undefined => (Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined);

const overview = createRoute({
  getParentRoute: () => inside, path: "/", component: lazyRouteComponent(part(() => import("../overview/OverviewPage")), "OverviewPage"),
  validateSearch: (search: Record<string, unknown>): { range?: string } => ({ range: text(search.range) }),
});
const decisions = createRoute({
  getParentRoute: () => inside, path: "/decisions", component: lazyRouteComponent(part(() => import("../decisions/DecisionsPage")), "DecisionsPage"),
  validateSearch: readFilters,
});
const approvals = createRoute({
  getParentRoute: () => inside, path: "/approvals", component: lazyRouteComponent(part(() => import("../approvals/ApprovalsPage")), "ApprovalsPage"),
  validateSearch: (search: Record<string, unknown>): { status?: string } => ({ status: text(search.status) }),
});
const approval = createRoute({ getParentRoute: () => approvals, path: "$id" });

const policies = createRoute({ getParentRoute: () => inside, path: "/policies", component: lazyRouteComponent(part(() => import("../policies/PoliciesPage")), "PoliciesPage") });
const newPolicy = createRoute({
  getParentRoute: () => inside, path: "/policies/new", component: lazyRouteComponent(part(() => import("../policies/NewPolicyPage")), "NewPolicyPage"),
  validateSearch: (search: Record<string, unknown>): { from?: string } => ({ from: text(search.from) }),
});
const policy = createRoute({
  getParentRoute: () => inside, path: "/policies/$name", component: lazyRouteComponent(part(() => import("../policies/PolicyPage")), "PolicyPage"),
  validateSearch: (search: Record<string, unknown>): { rule?: string; view?: string; version?: number; against?: number } => ({
    rule: text(search.rule), view: text(search.view), version: index(search.version), against: index(search.against),
  }),
});
const agents = createRoute({ getParentRoute: () => inside, path: "/agents", component: lazyRouteComponent(part(() => import("../agents/AgentsPage")), "AgentsPage") });
const agent = createRoute({ getParentRoute: () => agents, path: "$id" });
const catalogue = createRoute({
  getParentRoute: () => inside, path: "/catalogue", component: lazyRouteComponent(part(() => import("../catalogue/CataloguePage")), "CataloguePage"),
  validateSearch: (search: Record<string, unknown>): { q?: string; domain?: string; type?: string } => ({
    q: text(search.q), domain: text(search.domain), type: text(search.type),
  }),
});
const ledger = createRoute({
  getParentRoute: () => inside, path: "/ledger", component: lazyRouteComponent(part(() => import("../ledger/LedgerPage")), "LedgerPage"),
  validateSearch: (search: Record<string, unknown>): { entry?: number } => ({ entry: index(search.entry) }),
});
const containment = createRoute({
  getParentRoute: () => inside, path: "/containment", component: lazyRouteComponent(part(() => import("../containment/ContainmentPage")), "ContainmentPage"),
});
const shadow = createRoute({
  getParentRoute: () => inside, path: "/shadow", component: lazyRouteComponent(part(() => import("../shadow/ShadowPage")), "ShadowPage"),
  validateSearch: (search: Record<string, unknown>): { range?: string } => ({ range: text(search.range) }),
});
const users = createRoute({ getParentRoute: () => inside, path: "/users", component: lazyRouteComponent(part(() => import("../users/UsersPage")), "UsersPage") });
const settings = createRoute({ getParentRoute: () => inside, path: "/settings", component: lazyRouteComponent(part(() => import("../settings/SettingsPage")), "SettingsPage") });
/** What no page is at is told inside: those who are not signed in learn nothing of which pages there are. */
const lost = createRoute({ getParentRoute: () => inside, path: "$", component: NotFound });

const routes = [
  setUp,
  inside.addChildren([
    overview, decisions, approvals.addChildren([approval]), policies, newPolicy, policy, agents.addChildren([agent]), catalogue, ledger, containment, shadow, users, settings, lost,
  ]),
];

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: "intent",
  defaultPendingComponent: Waiting,
  defaultErrorComponent: PageFailure,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
