/** How the component library is set up. All colours and sizes are in theme.css. */
import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** Mantine wants ten shades of each colour; the ones it uses are variables in theme.css. */
const shades = (name: string) =>
  Array.from({ length: 10 }, (_, index) => `var(--mantine-color-${name}-${index})`) as unknown as MantineColorsTuple;

export const theme = createTheme({
  primaryColor: "accent",
  colors: { accent: shades("accent") },
  defaultRadius: "sm",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "xs" } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Dismiss" } } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: "md" } },
    TextInput: { defaultProps: { size: "xs" } },
    PasswordInput: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs", autosize: true, minRows: 2 } },
    Select: { defaultProps: { size: "xs", comboboxProps: { withinPortal: true }, checkIconPosition: "right" } },
    MultiSelect: { defaultProps: { size: "xs" } },
    TagsInput: { defaultProps: { size: "xs" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Switch: { defaultProps: { size: "sm" } },
    SegmentedControl: { defaultProps: { size: "xs" } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, fz: "xs" } },
    Menu: { defaultProps: { shadow: "md", position: "bottom-end" } },
    // SECURITY: locking the scroll would write a style element, which the content policy forbids. Panes scroll, not the page.
    Modal: { defaultProps: { lockScroll: false, centered: true, overlayProps: { blur: 2 }, transitionProps: { duration: 120 } } },
    Drawer: { defaultProps: { lockScroll: false, transitionProps: { duration: 140 } } },
  },
});
