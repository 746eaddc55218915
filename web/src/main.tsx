import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./theme/components";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { configure, onSignedOut } from "./api/http";
import { queries } from "./api/queries";
import { end } from "./api/session";
import { router } from "./app/router";
import { theme } from "./theme/theme";

configure();
onSignedOut(end);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

// SECURITY: no style element is ever written (withCssVariables, withGlobalClasses): the content policy forbids it.
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
      {/* Where nothing is to be clicked: what was decided must not lie over what is decided next. */}
      <Notifications position="top-center" limit={3} autoClose={3_000} />
    </MantineProvider>
  </StrictMode>,
);
