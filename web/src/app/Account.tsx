import { Menu, UnstyledButton, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronsUpDown, KeyRound, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { end, useSession } from "../api/session";
import { signOut as leave, signOutEverywhere } from "../generated/sdk.gen";
import classes from "./app.module.css";

const SCHEMES: readonly [MantineColorScheme, string, typeof Sun][] = [
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
  ["auto", "As the system", Monitor],
];

/** Who is signed in; theme; sign out. */
export function Account() {
  const { user, workspace } = useSession();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const navigate = useNavigate();
  const signOut = useMutation({
    mutationFn: async (everywhere: boolean): Promise<unknown> => (everywhere ? signOutEverywhere({ throwOnError: true }) : leave({ throwOnError: true })),
    onSettled: end,
  });
  const name = user?.displayName || user?.username || "";
  return (
    <Menu width={210} position="top-start">
      <Menu.Target>
        <UnstyledButton className={classes.account} aria-label={`Account of ${name}`}>
          <span className={classes.avatar} aria-hidden>
            {name.slice(0, 1).toUpperCase()}
          </span>
          <span className={classes.accountName}>
            <span className="clip">{name}</span>
            <span className="quiet clip">
              {user?.role} · {workspace}
            </span>
          </span>
          <ChevronsUpDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Appearance</Menu.Label>
        {SCHEMES.map(([scheme, label, Icon]) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon size={14} />}
            rightSection={colorScheme === scheme ? "✓" : null}
            onClick={() => setColorScheme(scheme)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<KeyRound size={14} />} onClick={() => void navigate({ to: "/settings", hash: "you" })}>
          Password and sessions
        </Menu.Item>
        <Menu.Item leftSection={<LogOut size={14} />} onClick={() => signOut.mutate(false)}>
          Sign out
        </Menu.Item>
        <Menu.Item leftSection={<LogOut size={14} />} onClick={() => signOut.mutate(true)}>
          Sign out everywhere
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
