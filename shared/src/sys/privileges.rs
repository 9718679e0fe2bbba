//! Another user for a worker.

use std::ffi::CString;
use std::io;

use nix::sys::prctl;
use nix::unistd::{
    Gid, Group, Uid, User, getegid, geteuid, getgrouplist, setgroups, setresgid, setresuid,
};

/// Who a worker runs as, looked up once in the supervisor: a user database must not be asked
/// after a fork, and a name must not start to mean somebody else between two workers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    uid: Uid,
    gid: Gid,
    /// The supplementary groups: all that the user has, or the group alone.
    groups: Vec<Gid>,
}

impl Identity {
    /// Looks up user and group by name or number; the group defaults to the user's own.
    ///
    /// # Errors
    /// A sentence: unknown, or not allowed since the supervisor is not root.
    pub fn resolve(user: Option<&str>, group: Option<&str>) -> Result<Option<Self>, String> {
        let found = user.map(find_user).transpose()?;
        let gid = group.map(find_group).transpose()?;
        let (uid, gid, name) = match (found, gid) {
            (None, None) => return Ok(None),
            (Some((uid, own, name)), gid) => (uid, gid.unwrap_or(own), name),
            (None, Some(gid)) => (geteuid(), gid, None),
        };
        let groups = match name {
            Some(name) => getgrouplist(&name, gid)
                .map_err(|error| format!("the groups of --user can't be read: {error}"))?,
            None => vec![gid],
        };
        let identity = Self { uid, gid, groups };
        let is_change = identity.uid != geteuid() || identity.gid != getegid();
        if is_change && !geteuid().is_root() {
            return Err(format!(
                "only root can run workers as another user or group, and this is uid {}: start as root, or leave out --user and --group",
                geteuid()
            ));
        }
        Ok(is_change.then_some(identity))
    }

    /// Makes this process run as the identity, for good: groups first, since a user who is not
    /// root may not change them any more.
    ///
    /// # Errors
    /// The kernel's; the process must then leave, it may be half changed.
    pub fn assume(&self) -> io::Result<()> {
        setgroups(&self.groups)?;
        setresgid(self.gid, self.gid, self.gid)?;
        setresuid(self.uid, self.uid, self.uid)?;
        // A user who can come back to root has not dropped anything.
        if !self.uid.is_root()
            && setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok()
        {
            return Err(io::Error::other(
                "root could be had back after it was dropped",
            ));
        }
        // Without it a worker of another user leaves no core, and nobody of that user may look at
        // its stack or its memory.
        prctl::set_dumpable(true)?;
        Ok(())
    }

    /// The user's number, as for the owner of a socket file.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// The group's number.
    #[must_use]
    pub fn gid(&self) -> u32 {
        self.gid.as_raw()
    }
}

fn find_user(text: &str) -> Result<(Uid, Gid, Option<CString>), String> {
    let number = text.parse::<u32>().ok().map(Uid::from_raw);
    let found = match number {
        Some(uid) => User::from_uid(uid),
        None => User::from_name(text),
    };
    let found = found
        .map_err(|error| format!("the user database can't be read for --user {text}: {error}"))?;
    match (found, number) {
        (Some(user), _) => Ok((user.uid, user.gid, CString::new(user.name).ok())),
        // A container's image often has no entry for a number.
        (None, Some(uid)) => Ok((uid, Gid::from_raw(uid.as_raw()), None)),
        (None, None) => Err(format!(
            "there is no user {text} on this machine: give --user a name of /etc/passwd or a number"
        )),
    }
}

fn find_group(text: &str) -> Result<Gid, String> {
    if let Ok(number) = text.parse::<u32>() {
        return Ok(Gid::from_raw(number));
    }
    let found = Group::from_name(text);
    let found = found
        .map_err(|error| format!("the group database can't be read for --group {text}: {error}"))?;
    found.map(|group| group.gid).ok_or_else(|| {
        format!("there is no group {text} on this machine: give --group a name of /etc/group or a number")
    })
}
