//! What programs do, by their names.

use std::collections::HashMap;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Only looks, and prints what it sees.
    Reads,
    Destroys,
    Network,
    /// Changes who may do what.
    Privilege,
    /// Runs the command that follows it.
    Wrapper,
    /// Runs code it is given.
    Interpreter,
    /// Nobody knows.
    Other,
}

#[rustfmt::skip]
const READS: &[&str] = &[
    "ls", "cat", "echo", "grep", "egrep", "fgrep", "head", "tail", "wc", "pwd", "whoami", "id", "uname", "df", "du", "stat", "file",
    "cut", "tr", "cmp", "diff", "basename", "dirname", "realpath", "readlink", "true", "false", "test", "[", "printf", "seq", "md5sum",
    "sha1sum", "sha256sum", "uptime", "free", "which", "ps", "nl", "rev", "tac", "cal", "groups", "nproc", "arch", "tty", "sleep", ":",
    "cd", "sort", "uniq", "jq", "rg", "tree", "comm", "paste", "printenv", "hostname", "strings", "date", "od", "hexdump", "fold",
];
#[rustfmt::skip]
const DESTROYS: &[&str] = &[
    "rm", "rmdir", "unlink", "shred", "dd", "mkfs", "wipefs", "fdisk", "parted", "sfdisk", "truncate", "kill", "killall", "pkill",
    "shutdown", "reboot", "halt", "poweroff", "init", "mv", "srm", "blkdiscard", "mkswap", "hdparm", "userdel", "groupdel", "deluser",
    "crontab", "del", "erase", "rd", "format", "diskpart", "remove-item", "ri", "clear-content", "stop-computer", "stop-process",
    "taskkill", "dropdb", "dropuser", "lvremove", "vgremove", "pvremove", "zpool", "cryptsetup", "tee", "install", "ln", "cp", "rename",
];
#[rustfmt::skip]
const NETWORK: &[&str] = &[
    "curl", "wget", "nc", "ncat", "netcat", "ssh", "scp", "sftp", "rsync", "ftp", "tftp", "telnet", "socat", "ping", "dig", "nslookup",
    "host", "nmap", "git", "npm", "npx", "yarn", "pnpm", "pip", "pip3", "gem", "cargo", "go", "brew", "apt", "apt-get", "yum", "dnf",
    "apk", "aws", "gcloud", "gsutil", "az", "kubectl", "helm", "docker", "podman", "terraform", "pulumi", "ansible", "mail", "sendmail",
    "mutt", "openssl", "psql", "mysql", "mongo", "mongosh", "redis-cli", "aria2c", "axel", "httpie", "http", "lynx", "links", "w3m",
    "whois", "traceroute", "mount", "iwr", "irm", "invoke-webrequest", "invoke-restmethod", "start-bitstransfer", "certutil", "bitsadmin",
    "gh", "vercel", "heroku", "flyctl", "s3cmd", "rclone", "smbclient", "ldapsearch", "snmpwalk", "bq",
];
#[rustfmt::skip]
const PRIVILEGE: &[&str] = &[
    "chmod", "chown", "chgrp", "chattr", "setfacl", "setcap", "passwd", "chpasswd", "usermod", "useradd", "adduser", "groupadd",
    "groupmod", "visudo", "gpasswd", "newgrp", "icacls", "takeown", "net", "runas", "insmod", "modprobe", "sysctl", "iptables", "nft",
    "ufw", "firewall-cmd", "setenforce", "systemctl", "service", "launchctl", "nsenter", "unshare",
];
#[rustfmt::skip]
const WRAPPERS: &[&str] = &[
    "sudo", "doas", "su", "pkexec", "gosu", "env", "nohup", "nice", "ionice", "time", "timeout", "xargs", "watch", "command", "builtin",
    "exec", "eval", "busybox", "toybox", "stdbuf", "setsid", "chroot", "parallel", "find", "strace", "ltrace", "script", "screen", "tmux",
    "at", "batch", "flock", "start-stop-daemon", "su-exec", "unbuffer", "coproc", "trap", "cmd", "cmd.exe", "wsl",
];
#[rustfmt::skip]
const INTERPRETERS: &[&str] = &[
    "sh", "bash", "zsh", "dash", "ksh", "fish", "csh", "tcsh", "ash", "rbash", "python", "python2", "python3", "perl", "ruby", "node",
    "nodejs", "deno", "bun", "php", "lua", "tclsh", "awk", "gawk", "mawk", "nawk", "sed", "ed", "ex", "vi", "vim", "nano", "emacs",
    "powershell", "pwsh", "powershell.exe", "osascript", "source", ".", "java", "groovy", "rscript", "julia", "sqlite3", "bc", "dc",
    "iex", "invoke-expression", "make", "gdb", "tar", "zip", "less", "more", "man", "mshta", "wscript", "cscript", "rundll32",
];
const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}", "case", "esac", "function",
    "select", "in",
];
const RAISES: &[&str] = &["sudo", "doas", "su", "pkexec", "gosu", "su-exec", "chroot"];

static CLASSES: LazyLock<HashMap<&'static str, Class>> = LazyLock::new(|| {
    let tables = [
        (INTERPRETERS, Class::Interpreter),
        (WRAPPERS, Class::Wrapper),
        (PRIVILEGE, Class::Privilege),
        (NETWORK, Class::Network),
        (DESTROYS, Class::Destroys),
        (READS, Class::Reads),
    ];
    tables.into_iter().flat_map(|(table, class)| table.iter().map(move |name| (*name, class))).collect()
});

pub(super) fn class(name: &str) -> Class {
    if let Some(class) = CLASSES.get(name) {
        return *class;
    }
    // Versions and variants of one program: `mkfs.ext4`, `python3.11`.
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    CLASSES.get(stem).copied().filter(|class| *class != Class::Reads).unwrap_or(Class::Other)
}

/// Keywords after which something runs often, or under another name.
pub(super) fn repeats(word: &str) -> bool {
    matches!(word, "while" | "until" | "select" | "function")
}

pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

pub(super) fn raises(name: &str) -> bool {
    RAISES.contains(&name)
}

/// Whether a program prints all variables, and so the passwords among them, or one that sounds like one.
pub(super) fn prints_settings<'a>(name: &str, mut arguments: impl Iterator<Item = &'a str>) -> bool {
    match name {
        "printenv" => prints_variable(arguments),
        "jq" => arguments.any(asks_for_settings),
        // `ps axe`; `ps -e` only lists all processes.
        "ps" => arguments.any(|argument| {
            let letters = argument.bytes().all(|letter| b"acefghjlmnrsuvwxSTE".contains(&letter));
            letters && argument.contains('e') || has_flag(argument, &['E'])
        }),
        _ => false,
    }
}

/// Whether a program of jq asks for the variables (`env`, `$ENV`), or stands in a file that nobody sees here. What
/// follows a single dot is a member of that name.
fn asks_for_settings(argument: &str) -> bool {
    const ASKING: &[&str] = &["env", "ENV", "import", "include", "modulemeta", "get_search_list", "input_filename"];
    if argument.starts_with("--") {
        return ["--f", "--l", "--run"].iter().any(|option| argument.starts_with(option));
    }
    if has_flag(argument, &['f', 'L']) {
        return true;
    }
    let mut before = "";
    argument.split_inclusive(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|part| {
        let word = part.trim_end_matches(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let member = before.ends_with('.') && before.len() == 1 + before.trim_end_matches('.').len();
        let asks = ASKING.contains(&word) && !member;
        before = part;
        asks
    })
}

fn prints_variable<'a>(arguments: impl Iterator<Item = &'a str>) -> bool {
    let mut named = arguments.filter(|argument| !argument.starts_with('-')).peekable();
    let secret = |name: &str| {
        let upper = name.to_ascii_uppercase();
        ["KEY", "TOKEN", "SECRET", "PASS", "CRED", "AUTH"].iter().any(|part| upper.contains(part))
    };
    named.peek().is_none() || named.any(secret)
}

/// Whether the shell's own program takes an argument for the name of a variable or a sum, and so runs what stands in
/// its brackets: `test -v 'a[$(rm x)]'`.
pub(super) fn reckons<'a>(name: &str, arguments: impl Iterator<Item = &'a str> + Clone) -> bool {
    const NAMING: &[&str] = &["-v", "-R"];
    const RECKONING: &[&str] = &["-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-t"];
    if !matches!(name, "test" | "[" | "printf") {
        return false;
    }
    let substitutes = arguments.clone().any(|argument| ["$(", "${", "`"].iter().any(|sign| argument.contains(sign)));
    let is_number = |argument: &str| {
        let digits = argument.trim_start_matches(['-', '+']);
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    let mut naming = false;
    let mut reckoning = false;
    let mut words = false;
    let mut brackets = false;
    for argument in arguments {
        naming |= NAMING.contains(&argument);
        reckoning |= RECKONING.contains(&argument);
        brackets |= argument.contains('[');
        words |= !argument.starts_with('-') && argument != "]" && !is_number(argument);
    }
    substitutes || name != "printf" && (brackets && (naming || reckoning) || reckoning && words)
}

/// Options with which a looking program writes or runs something.
pub(super) fn makes_reader_act<'a>(name: &str, mut arguments: impl Iterator<Item = &'a str>) -> bool {
    match name {
        "printf" => arguments.any(|argument| argument.starts_with("-v")),
        "file" => arguments
            .any(|argument| argument.starts_with("-C") || argument.starts_with("-m") || argument == "--compile"),
        "diff" => arguments.any(|argument| argument.contains("output")),
        "sort" => arguments
            .any(|argument| argument.starts_with("--o") || argument.starts_with("--c") || has_flag(argument, &['o'])),
        // The second file is written.
        "uniq" => arguments.filter(|argument| !argument.starts_with('-')).count() > 1,
        "tree" => arguments.any(|argument| argument.starts_with("--out") || has_flag(argument, &['o', 'R'])),
        "rg" => arguments.any(|argument| {
            (argument.starts_with("--pre") && argument != "--pretty") || argument.starts_with("--hostname")
        }),
        "find" => arguments
            .any(|argument| ["-exec", "-ok", "-del", "-fpr", "-fls"].iter().any(|action| argument.starts_with(action))),
        // Without `+` it is the time to set.
        "date" => arguments.any(|argument| {
            !argument.starts_with(['+', '-']) || argument.starts_with("--s") || has_flag(argument, &['s'])
        }),
        "hostname" => arguments.any(|argument| !matches!(argument, "-f" | "-s" | "-i" | "-I" | "-d" | "-A" | "--fqdn")),
        _ => false,
    }
}

/// Whether a group of short options (`-no`) has one of these.
fn has_flag(argument: &str, flags: &[char]) -> bool {
    argument.strip_prefix('-').is_some_and(|group| !group.starts_with('-') && group.contains(flags))
}

/// Whether the arguments of a program nobody knows plainly ask for destruction.
pub(super) fn asks_to_destroy<'a>(arguments: impl Iterator<Item = &'a str>) -> bool {
    const VERBS: &[&str] = &[
        "delete",
        "destroy",
        "remove",
        "rm",
        "rmi",
        "rb",
        "prune",
        "purge",
        "terminate",
        "terminate-instances",
        "drop",
        "wipe",
        "clean",
        "reset",
        "uninstall",
        "kill",
        "down",
        "drain",
        "evict",
        "truncate",
        "flushall",
        "flushdb",
        "--force",
        "-f",
        "--delete",
        "-delete",
        "--hard",
        "--force-with-lease",
        "-rf",
        "-fr",
        "--prune",
        "unpublish",
    ];
    arguments.into_iter().any(|argument| {
        let lower = argument.to_ascii_lowercase();
        let verb = lower
            .split(['-', '_', ':', '=', ' '])
            .any(|word| matches!(word, "delete" | "destroy" | "remove" | "terminate" | "drop" | "purge" | "truncate"));
        VERBS.contains(&lower.as_str()) || verb
    })
}
