//! `users`: accounts of people, and the one-time links by which they set a password.

use crate::args::Global;
use crate::exit::Exit;
use crate::output::{Output, Tone};
use crate::remote::{Remote, list, shown};
use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Everything, owners included.
    Owner,
    /// Agents, keys, settings, containment, accounts.
    Admin,
    /// Policies.
    Author,
    /// Held actions.
    Approver,
    /// Looks.
    Viewer,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Author => "author",
            Self::Approver => "approver",
            Self::Viewer => "viewer",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// List the accounts of the workspace.
    List,
    /// Make an account, and print the link by which its holder sets a password.
    Add {
        username: String,
        #[arg(long, value_enum)]
        role: Role,
        /// What people call them.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// A group whose approvals they are asked for, `*` for all; may be given several times.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// Change what somebody may do, and which approvals ask them.
    Role {
        #[arg(value_name = "USER_ID")]
        id: String,
        #[arg(value_enum)]
        role: Role,
        /// The groups from now on; without it they stay.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
    },
    /// End somebody's access at once.
    Disable {
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Take that back.
    Enable {
        #[arg(value_name = "USER_ID")]
        id: String,
    },
    /// Take password and sessions away, and print a link for a new password.
    Reset {
        #[arg(value_name = "USER_ID")]
        id: String,
    },
}

pub fn run(args: &Args, global: &Global, out: &Output) -> anyhow::Result<Exit> {
    let remote = Remote::admin(global)?;
    match &args.ask {
        Ask::List => {
            let page = remote.get(&["users"], &[])?;
            out.answer(&page, |out| print_list(&page, out));
        }
        Ask::Add { username, role, name, groups } => {
            let mut body = Map::new();
            body.insert("username".into(), json!(username));
            body.insert("role".into(), json!(role.as_str()));
            body.insert("groups".into(), json!(groups));
            body.extend(name.as_ref().map(|name| ("displayName".into(), json!(name))));
            let made = remote.post(&["users"], &body)?;
            out.answer(&made, |out| {
                out.field("user", 7, shown(&made, "/user/id"));
                print_link(&remote, made.get("link").unwrap_or(&Value::Null), out);
            });
        }
        Ask::Role { id, role, groups } => {
            let mut body = Map::new();
            body.insert("role".into(), json!(role.as_str()));
            if !groups.is_empty() {
                body.insert("groups".into(), json!(groups));
            }
            change(&remote, id, &body, out)?;
        }
        Ask::Disable { id } => change(&remote, id, &json!({ "status": "disabled" }), out)?,
        Ask::Enable { id } => change(&remote, id, &json!({ "status": "active" }), out)?,
        Ask::Reset { id } => {
            let link = remote.post(&["users", id, "reset"], &json!({}))?;
            out.answer(&link, |out| print_link(&remote, &link, out));
        }
    }
    Ok(Exit::Ok)
}

fn change(remote: &Remote, id: &str, body: &impl serde::Serialize, out: &Output) -> anyhow::Result<()> {
    let user = remote.patch(&["users", id], body)?;
    out.answer(&user, |out| {
        let tone = if shown(&user, "/status") == "active" { Tone::Good } else { Tone::Bad };
        out.toned(
            tone,
            &shown(&user, "/status"),
            format_args!("{}, {}", shown(&user, "/username"), shown(&user, "/role")),
        );
    });
    Ok(())
}

fn print_list(page: &Value, out: &Output) {
    let rows = list(page, "users").iter().map(|user| {
        let groups = list(user, "groups").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        let mut row =
            ["/id", "/username", "/displayName", "/role", "/status"].map(|pointer| shown(user, pointer)).to_vec();
        row.push(groups);
        row
    });
    out.table(&["id", "username", "name", "role", "status", "groups"], rows.collect(), "no accounts");
}

fn print_link(remote: &Remote, link: &Value, out: &Output) {
    out.field("link", 7, format_args!("{}{}", remote.url(), shown(link, "/path")));
    out.field("expires", 7, shown(link, "/expiresAt"));
    out.remark("the link works once and is shown this once: send it to nobody but its holder");
}
