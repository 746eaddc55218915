import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` sends API requests. A token given here is for development only; the product signs people in. */
const server = process.env.RUNPLANE_URL ?? "http://127.0.0.1:7070";
const token = process.env.RUNPLANE_ADMIN_TOKEN;
const forwarded = {
  target: server,
  changeOrigin: true,
  headers: token === undefined ? undefined : { authorization: `Bearer ${token}` },
};

/** With a token, development needs no account: the session is the token's. It exists in this server only, never in a build. */
const developer: Plugin = {
  name: "developer-session",
  configureServer({ middlewares }) {
    if (token === undefined) return;
    const user = { id: "usr_dev", username: "dev", displayName: "Developer", role: "owner", groups: [], status: "active", hasPassword: true };
    const session = { signedIn: true, needsSetup: false, user, workspace: "default", may: ["read", "approve", "publish", "manage", "own"] };
    middlewares.use((request, response, next) => {
      if (request.method !== "GET" || request.url !== "/api/v1/session") return next();
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(session));
    });
  },
};

export default defineConfig({
  plugins: [developer, react()],
  server: { host: "127.0.0.1", port: 5173, proxy: { "/api": forwarded, "/healthz": forwarded } },
  build: {
    target: "es2022",
    // SECURITY: the content policy allows scripts, styles and fonts from files of this origin only; a data: URL is none.
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    // Preloading needs no polyfill in these targets; the polyfill would be one more script.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
