//! Becoming a user who may do nothing, once the TAPs are open.
#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::io;

use anyhow::{Context as _, Result, bail};

/// Who runs the firewall when nobody says otherwise.
const DEFAULT_USER: &str = "nobody";

/// An account.
struct Account {
    user: u32,
    group: u32,
}

/// Becomes `user`, for good. A caller who is not root stays who he is, unless he asked for somebody else by name.
pub(super) fn drop_to(user: Option<&str>) -> Result<()> {
    if !is_root() {
        return match user {
            None => forbid_new().context("prctl(PR_SET_NO_NEW_PRIVS)"),
            Some(name) => {
                bail!("cannot become {name}: only root can; leave --user out, or run as root")
            }
        };
    }
    let name = user.unwrap_or(DEFAULT_USER);
    let accounts = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let account = find(&accounts, name).with_context(|| {
        format!("cannot become {name}: no such user in /etc/passwd; name another with --user")
    })?;
    become_account(&account).with_context(|| format!("cannot become {name}"))?;
    forbid_new().context("prctl(PR_SET_NO_NEW_PRIVS)")
}

/// The account of a name, or of a number that an account has.
fn find(accounts: &str, name: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (login, _password) = (fields.next()?, fields.next()?);
        let (user, group) = (fields.next()?, fields.next()?);
        (login == name || user == name).then_some(())?;
        Some(Account {
            user: user.parse().ok()?,
            group: group.parse().ok()?,
        })
    })
}

fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

fn checked(result: i32) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Groups first: afterwards there is no right to change them.
fn become_account(account: &Account) -> io::Result<()> {
    // SAFETY: an empty list needs no pointer.
    checked(unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // SAFETY: takes numbers only.
    checked(unsafe { libc::setresgid(account.group, account.group, account.group) })?;
    // SAFETY: takes numbers only.
    checked(unsafe { libc::setresuid(account.user, account.user, account.user) })
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
        check("broken", None);
        check("", None);
    }
}
