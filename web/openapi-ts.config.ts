import { defineConfig } from "@hey-api/openapi-ts";

/** The output is committed: `npm run generate` after contracts/openapi.json changed. */
export default defineConfig({
  input: "../contracts/openapi.json",
  output: { path: "src/generated", clean: true },
  // The event stream is no answer that could be kept: `api/live.ts` reads it with an EventSource.
  parser: { filters: { operations: { exclude: ["GET /api/v1/events"] } } },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk", "@tanstack/react-query"],
});
