/** All examples, one per domain. */
import { communication } from "./communication.js";
import { database } from "./database.js";
import { enterprise } from "./enterprise.js";
import { infrastructure } from "./infrastructure.js";
import { integrations } from "./integrations.js";
import { payments } from "./payments.js";
import type { Program } from "./program.js";

export const programs: readonly Program[] = [payments, database, infrastructure, communication, integrations, enterprise];
