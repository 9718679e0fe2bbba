//! Values that are right by themselves and wrong together.

use std::time::Duration;

use crate::keys::key;
use crate::problem::{Place, Problem};
use crate::resolve::{Places, Unread};
use crate::types::{Bind, ClientCertificates, Config, Readiness, Share, SupervisorConfig};
use crate::words::show_duration;

/// The keys that say where the service listens.
pub(crate) const SPELLINGS: [&str; 5] = ["host", "port", "uds", "fd", "bind"];

/// What was said, as far as it is known.
struct Said<'a> {
    places: &'a Places<'a>,
    unread: &'a Unread,
}

impl Said<'_> {
    /// Whether the values of these keys are known: of others nobody can say what they fit to.
    fn is_known(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| !self.unread.contains(key))
    }
}

/// Adds what does not fit together, and shrinks the one default that follows another value.
pub(crate) fn together(
    config: &mut Config,
    places: &Places<'_>,
    unread: &Unread,
    problems: &mut Vec<Problem>,
) {
    let said = &Said { places, unread };
    let supervisor = &config.supervisor;
    problems.extend(order(
        said,
        ("restart-delay", supervisor.restart_delay),
        ("restart-delay-max", supervisor.restart_delay_max),
        "make the first pause shorter or the longest one longer",
    ));
    if let Readiness::Alive(time) = supervisor.ready {
        let start = supervisor.timeout_start;
        // Equal is too long as well: at that moment the deadline has come.
        if time >= start {
            problems.extend(pair(
                said,
                format!(
                    "`ready` ({}) is not shorter than `timeout-start` ({}): no worker would ever \
                     become ready",
                    show_duration(time),
                    show_duration(start)
                ),
                ("ready", "timeout-start"),
                "make `ready` shorter or `timeout-start` longer",
            ));
        }
    }
    problems.extend(replacing(supervisor, said));
    problems.extend(admin(supervisor, said));
    problems.extend(tls(config, said));
    let supervisor = &config.supervisor;
    let is_alone = supervisor.group.is_some() && supervisor.user.is_none();
    if is_alone && said.is_known(&["group", "user"]) {
        let what = "`group` is given without `user`: workers would still run as the supervisor's \
                    user";
        let cure = "name the user too (`user`), or take the group out";
        problems.extend(
            places
                .get("group")
                .map(|at| Problem::new(what, (*at).clone(), cure)),
        );
    }
    let drain = supervisor.timeout_graceful_shutdown;
    if places.contains_key("timeout-lame-duck") {
        problems.extend(order(
            said,
            ("timeout-lame-duck", config.worker.timeout_lame_duck),
            ("timeout-graceful-shutdown", drain),
            "make the first shorter or the second longer",
        ));
    } else {
        config.worker.timeout_lame_duck = config.worker.timeout_lame_duck.min(drain);
    }
    let kill = config.supervisor.timeout_kill;
    if places.contains_key("timeout-hooks") {
        problems.extend(order(
            said,
            ("timeout-hooks", config.worker.timeout_hooks),
            ("timeout-kill", kill),
            "make the first shorter or the second longer",
        ));
    } else {
        config.worker.timeout_hooks = config.worker.timeout_hooks.min(kill / 2);
    }
}

/// What does not fit together of certificates, keys and clients.
fn tls(config: &Config, said: &Said<'_>) -> Vec<Problem> {
    let (tls, supervisor) = (&config.worker.tls, &config.supervisor);
    // Of the first key, and not without knowing the other.
    let at = |(key, other): (&'static str, &'static str), what: String, cure: &str| {
        let place = said.places.get(key)?;
        let is_known = said.is_known(&[key, other]);
        is_known.then(|| Problem::new(what, (*place).clone(), cure))
    };
    let mut found = Vec::new();
    let (chains, keys) = (tls.certificates.len(), tls.keys.len());
    if keys > 0 && keys != chains {
        let what = format!("{keys} of `ssl-keyfile` and {chains} of `ssl-certfile`");
        let cure = "give one key for each certificate, in the same order";
        found.push(at(("ssl-keyfile", "ssl-certfile"), what, cure));
    }
    let asked = tls.client_certificates != ClientCertificates::None;
    if asked && tls.client_ca.is_none() {
        let what = "nobody is named who may sign clients' certificates".to_owned();
        let cure = "name a file with their certificates in `ssl-ca-certs`";
        found.push(at(("ssl-cert-reqs", "ssl-ca-certs"), what, cure));
    }
    if !asked && tls.client_ca.is_some() {
        let what = "no client is asked for a certificate".to_owned();
        let cure = "write `ssl-cert-reqs` too (`required` or `optional`), or take this out";
        found.push(at(("ssl-ca-certs", "ssl-cert-reqs"), what, cure));
    }
    if !tls.is_on() {
        for key in ["ssl-ocsp", "ssl-ca-certs", "insecure-bind"] {
            let what = format!("`{key}` without a certificate: nothing is encrypted anyway");
            let cure = "name the certificate too (`ssl-certfile`), or take this out";
            found.push(at((key, "ssl-certfile"), what, cure));
        }
    }
    for bind in &supervisor.insecure_binds {
        let is_any = matches!(bind, Bind::Tcp(_, 0) | Bind::Name(_, 0));
        let twice = supervisor
            .all_binds()
            .filter(|other| *other == bind)
            .count()
            > 1;
        if twice && !is_any && said.is_known(&SPELLINGS) {
            let what = format!("{bind} is given twice, or speaks TLS already");
            let keys = ("insecure-bind", "insecure-bind");
            found.push(at(keys, what, "give another port"));
        }
    }
    found.into_iter().flatten().collect()
}

/// The admin address is nobody else's.
fn admin(supervisor: &SupervisorConfig, said: &Said<'_>) -> Option<Problem> {
    let (admin, place) = (supervisor.admin.as_ref()?, said.places.get("admin")?);
    // Port 0 is another free port each time.
    let is_any = matches!(admin, Bind::Tcp(_, 0) | Bind::Name(_, 0));
    let is_known = said.is_known(&SPELLINGS) && said.is_known(&["admin", "insecure-bind"]);
    let is_taken = !is_any && supervisor.all_binds().any(|bind| bind == admin);
    (is_known && is_taken).then(|| {
        let what = format!("the service listens at {admin} already");
        Problem::new(what, (*place).clone(), "give `admin` another port or path")
    })
}

/// What does not fit together of stalls, reloads and recycling.
fn replacing(supervisor: &SupervisorConfig, said: &Said<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(limit) = supervisor.timeout_worker {
        problems.extend(order(
            said,
            ("stall-warn", supervisor.stall_warn),
            ("timeout-worker", limit),
            "make the first shorter or the second longer, or turn one `off`",
        ));
    }
    let is_none = |share| matches!(share, Share::Count(0) | Share::Percent(0));
    if is_none(supervisor.reload_surge) && is_none(supervisor.reload_max_unavailable) {
        problems.extend(pair(
            said,
            "with `reload-surge` and `reload-max-unavailable` both 0 no worker could be replaced"
                .to_owned(),
            ("reload-surge", "reload-max-unavailable"),
            "allow at least one worker more, or one fewer",
        ));
    }
    let recycle = supervisor.recycle;
    if let Some(most) = recycle.max_requests
        && recycle.max_requests_jitter > most
    {
        problems.extend(pair(
            said,
            format!(
                "`limit-max-requests-jitter` ({}) is more than `limit-max-requests` ({most})",
                recycle.max_requests_jitter
            ),
            ("limit-max-requests-jitter", "limit-max-requests"),
            "make the first smaller or the second larger; a tenth is usual",
        ));
    }
    problems
}

/// A problem if the first is longer than the second.
fn order(
    said: &Said<'_>,
    (short, shorter): (&'static str, Duration),
    (long, longer): (&'static str, Duration),
    cure: &str,
) -> Option<Problem> {
    if shorter <= longer {
        return None;
    }
    let (left, right) = (show_duration(shorter), show_duration(longer));
    let what = format!("`{short}` ({left}) is longer than `{long}` ({right})");
    pair(said, what, (short, long), cure)
}

/// A problem of two keys, each shown where it was said, or with its default.
fn pair(
    said: &Said<'_>,
    what: String,
    (one, other): (&'static str, &'static str),
    cure: &str,
) -> Option<Problem> {
    let places = said.places;
    let place = |name: &'static str| match places.get(name) {
        Some(place) => (*place).clone(),
        None => {
            let value = key(name).and_then(|key| key.default).unwrap_or_default();
            Place::Default { key: name, value }
        }
    };
    // The one that somebody said is at fault, not the default.
    let (first, second) = if places.contains_key(one) {
        (one, other)
    } else {
        (other, one)
    };
    let is_known = said.is_known(&[one, other]);
    is_known.then(|| Problem::new(what, place(first), cure).against(place(second)))
}
