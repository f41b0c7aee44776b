//! Becoming a user who may do nothing, once the TAPs are open.
#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::io;

use anyhow::{Context as _, Result, bail};

/// Who runs the firewall when nobody says otherwise.
const DEFAULT_USER: &str = "nobody";

/// The number of `nobody` and its group where no account says it (`/proc/sys/kernel/overflowuid`).
const NOBODY: Account = Account {
    user: 65534,
    group: 65534,
};

/// `linux/capability.h: _LINUX_CAPABILITY_VERSION_3`.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Account {
    user: u32,
    group: u32,
}

/// Becomes `user`, or `nobody`, for good. Where there is something that a person should know, it is given back.
///
/// A caller who is not root stays who he is. So does root where nobody asked for a user by name and `nobody` cannot be had: in a user
/// namespace that has no number for it (`unshare -r`), or without the right to change users. He gives up all rights instead.
pub(super) fn drop_to(user: Option<&str>) -> Result<Option<String>> {
    let own = own_user();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = user
        .map(|name| {
            find(&accounts, name).with_context(|| {
                format!(
                    "cannot become {name}: no such user in /etc/passwd; name another with --user"
                )
            })
        })
        .transpose()?;
    let note = match named {
        Some(account) if account.user == own => {
            if own == 0 {
                return Ok(None);
            }
            None
        }
        Some(account) => {
            let name = user.unwrap_or(DEFAULT_USER);
            if own != 0 {
                bail!("cannot become {name}: only root can; leave --user out, or run as root");
            }
            become_account(account).map_err(|why| {
                anyhow::anyhow!(
                    "cannot become {name}: {why}; leave --user out, or stay root with --user root"
                )
            })?;
            None
        }
        None if own != 0 => None,
        None => {
            let account = find(&accounts, DEFAULT_USER).unwrap_or(NOBODY);
            become_account(account).err().map(|why| {
                format!("cannot become {DEFAULT_USER}: {why}; stays root, without any right")
            })
        }
    };
    give_up_rights().context("cannot give up capabilities")?;
    forbid_new().context("prctl(PR_SET_NO_NEW_PRIVS)")?;
    Ok(note)
}

/// The account of a name, of a number that an account has, or of a number alone.
fn find(accounts: &str, name: &str) -> Option<Account> {
    let listed = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (login, _password) = (fields.next()?, fields.next()?);
        let (user, group) = (fields.next()?, fields.next()?);
        (login == name || user == name).then_some(())?;
        Some(Account {
            user: user.parse().ok()?,
            group: group.parse().ok()?,
        })
    });
    let root = (name == "root").then_some(Account { user: 0, group: 0 });
    let number = || name.parse().ok().map(|user| Account { user, group: user });
    listed.or(root).or_else(number)
}

fn own_user() -> u32 {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() }
}

fn checked(result: i32) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Becomes somebody else, or says why not; then nothing has changed but, at most, the groups.
fn become_account(account: Account) -> Result<(), String> {
    for (file, number, what) in [
        ("/proc/self/uid_map", account.user, "user"),
        ("/proc/self/gid_map", account.group, "group"),
    ] {
        // Without /proc the calls below say it less well.
        let map = std::fs::read_to_string(file).unwrap_or_default();
        if !map.is_empty() && !has_number(&map, number) {
            return Err(format!("this user namespace has no {what} {number}"));
        }
    }
    let reason = |error: io::Error| match error.raw_os_error() {
        Some(libc::EPERM) => {
            "this root lacks the capabilities CAP_SETUID and CAP_SETGID".to_owned()
        }
        _ => error.to_string(),
    };
    change(account).map_err(reason)
}

/// Groups first: afterwards there is no right to change them.
fn change(account: Account) -> io::Result<()> {
    // user_namespaces(7): where setgroups is denied, nobody could have dropped a group either.
    let fixed = std::fs::read_to_string("/proc/self/setgroups")
        .is_ok_and(|allowed| allowed.trim() == "deny");
    if !fixed {
        // SAFETY: an empty list needs no pointer.
        checked(unsafe { libc::setgroups(0, std::ptr::null()) })?;
    }
    // SAFETY: takes numbers only.
    checked(unsafe { libc::setresgid(account.group, account.group, account.group) })?;
    // SAFETY: takes numbers only.
    checked(unsafe { libc::setresuid(account.user, account.user, account.user) })
}

/// Whether a user namespace's map (`FIRST OUTSIDE COUNT` a line) has a number.
fn has_number(map: &str, number: u32) -> bool {
    map.lines().any(|line| {
        let mut fields = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(first)), Some(Ok(_)), Some(Ok(count))) =
            (fields.next(), fields.next(), fields.next())
        else {
            return false;
        };
        (first..first.saturating_add(count)).contains(&u64::from(number))
    })
}

/// Empties the sets of capabilities (capset(2)): of a root who stays, and of a user whose program file had some.
fn give_up_rights() -> io::Result<()> {
    let header = [CAPABILITY_VERSION, 0];
    let none = [0_u32; 6];
    // SAFETY: version 3 takes a version and a process number, and reads two entries of three words each.
    let done = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    if done < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// No program that this one may ever start gets more rights than it has.
fn forbid_new() -> io::Result<()> {
    // SAFETY: PR_SET_NO_NEW_PRIVS takes 1 and three zeros.
    checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_name_and_number() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/false\nbroken\n";
        let check =
            |name, wanted| assert_eq!(find(accounts, name).map(|a| (a.user, a.group)), wanted);
        check("nobody", Some((65534, 65533)));
        check("65534", Some((65534, 65533)));
        check("1234", Some((1234, 1234)));
        check("broken", None);
        check("", None);
        assert_eq!(find("", "root"), Some(Account { user: 0, group: 0 }));
    }

    #[test]
    fn user_namespaces_have_the_numbers_of_their_map() {
        let check = |map, number, wanted| assert_eq!(has_number(map, number), wanted, "{map}");
        check("         0          0 4294967295\n", 65534, true);
        check("         0       1000          1\n", 65534, false);
        check("0 1000 1\n1 100000 65535\n", 65534, true);
        check("?", 0, false);
    }
}
