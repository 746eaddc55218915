/** An agent that keeps databases tidy. Its policy is the database pack; the targets are registered by the operator. */
import type { Program } from "./program.js";

export const database: Program = {
  domain: "database",
  steps: (runplane, sql) => {
    const stale = { table: "carts", where: "status = 'abandoned'", count: 10, environment: "staging" };
    const plans = { table: "users", count: 50, environment: "staging" };
    const column = { table: "users", change: "add column age int" };
    const drop = { table: "users", change: "drop column email" };
    const inactive = { table: "users", where: "inactive", environment: "production" };
    return [
      {
        wish: "delete 10 stale rows in staging",
        expect: "ran",
        act: () => runplane.guard("delete_records", "staging-db", stale, () => sql.call("delete", stale)),
      },
      {
        wish: "update 50 rows in staging",
        expect: "ran",
        act: () => runplane.guard("bulk_update", "staging-db", plans, () => sql.call("update", plans)),
      },
      {
        wish: "add a column in production",
        expect: "ran",
        person: "approves",
        act: () => runplane.guard("modify_schema", "prod-db", column, () => sql.call("alter", column)),
      },
      {
        wish: "drop a column in production",
        expect: "blocked",
        act: () => runplane.guard("modify_schema", "prod-db", drop, () => sql.call("alter", drop)),
      },
      {
        wish: "delete inactive users in production",
        expect: "blocked",
        act: () => runplane.guard("delete_records", "users-database", inactive, () => sql.call("delete", inactive)),
      },
      {
        wish: "delete one user, under the tool's own name",
        expect: "blocked",
        act: () => runplane.guard("deleteUser", "users-database", { userId: "u_1" }, () => sql.call("delete", { userId: "u_1" })),
      },
    ];
  },
};
