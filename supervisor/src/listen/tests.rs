//! The life of addresses over several configurations, with real sockets on loopback.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use brigade_config::{Balance, Bind, Config, SupervisorConfig};
use brigade_shared::id::{Generation, SlotId};
use brigade_shared::seat::Address;
use brigade_shared::sys::fd;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::stat::fstat;

use super::inherited::Inherited;
use super::listeners::Listeners;
use crate::handover::{Packing, Unpacking};

const SECOND: Generation = Generation(2);
const THIRD: Generation = Generation(3);

fn config(binds: &[Bind]) -> SupervisorConfig {
    let mut config = Config::default().supervisor;
    config.binds = binds.to_vec();
    config
}

/// A TCP address on loopback; 0: any port.
fn local(port: u16) -> Bind {
    Bind::Tcp([127, 0, 0, 1].into(), port)
}

fn everywhere(port: u16) -> Bind {
    Bind::Tcp([0, 0, 0, 0].into(), port)
}

fn open_from(config: &SupervisorConfig) -> Result<Listeners, Vec<String>> {
    let mut listeners = Listeners::open(config, Inherited::default())?;
    listeners.begin(config, nobody);
    Ok(listeners)
}

fn open(binds: &[Bind]) -> Listeners {
    open_from(&config(binds)).unwrap()
}

/// A whole reload.
fn reload(listeners: &mut Listeners, generation: Generation, binds: &[Bind]) {
    listeners.stage(&config(binds)).unwrap();
    listeners.assign(generation);
    listeners.commit(generation);
}

/// The kernel's numbers of the sockets that this slot's worker would get.
fn sockets(listeners: &Listeners, slot: u16, generation: Generation) -> Vec<u64> {
    let offers = listeners.of_slot(SlotId(slot), generation);
    let number = |fd: &dyn AsFd| fstat(fd.as_fd()).unwrap().st_ino;
    offers.iter().map(|offer| number(&offer.socket)).collect()
}

/// The TCP addresses of a generation.
fn addresses(listeners: &Listeners, generation: Generation) -> Vec<SocketAddr> {
    let offers = listeners.of_slot(SlotId(0), generation);
    let tcp = |address: &Address| match address {
        Address::Tcp(address) => Some(*address),
        Address::Unix(_) | Address::Abstract(_) => None,
    };
    offers
        .iter()
        .filter_map(|offer| tcp(offer.address))
        .collect()
}

fn connect(address: SocketAddr) -> Result<TcpStream, ErrorKind> {
    let connected = TcpStream::connect_timeout(&address, Duration::from_millis(100));
    connected.map_err(|error| error.kind())
}

/// Says something to one end and hears it at the other.
fn speaks(mut client: impl Write, server: OwnedFd) -> bool {
    let mut heard = [0; 5];
    client.write_all(b"hello").unwrap();
    TcpStream::from(server).read_exact(&mut heard).is_ok() && &heard == b"hello"
}

/// A client whose ears are stopped: the server has answered it, and the handshake does not go on.
pub(super) struct Shy(socket2::Socket);

impl Shy {
    pub(super) fn connect(to: SocketAddr) -> Self {
        let kind = socket2::Type::STREAM.nonblocking();
        let socket = socket2::Socket::new(socket2::Domain::for_address(to), kind, None).unwrap();
        // A program of one instruction: keep nothing of any packet.
        socket
            .attach_filter(&[socket2::SockFilter::new(0x06, 0, 0, 0)])
            .unwrap();
        socket.connect(&to.into()).unwrap_err();
        Self(socket)
    }

    /// It hears the answer when the server repeats it, after a second.
    pub(super) fn finish(&mut self) {
        self.0.detach_filter().unwrap();
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLOUT)];
        assert_eq!(poll(&mut fds, 10_000_u16).unwrap(), 1, "it connects");
        assert!(self.0.take_error().unwrap().is_none());
    }
}

fn nobody(_: OwnedFd) {
    panic!("nothing waits here");
}

#[test]
fn an_address_that_stays_keeps_its_sockets_however_it_is_spelled() {
    let mut listeners = open(&[local(0), Bind::Name("localhost".into(), 0)]);
    listeners.open_slot(SlotId(2)).unwrap();
    let before = sockets(&listeners, 2, Generation::FIRST);
    let told = addresses(&listeners, Generation::FIRST);
    let again = [local(0), Bind::Name("localhost".into(), 0)];
    listeners.stage(&config(&again)).unwrap();
    listeners.assign(SECOND);
    assert_eq!(sockets(&listeners, 2, SECOND), before);
    listeners.commit(SECOND);
    let by_number: Vec<Bind> = told
        .iter()
        .rev()
        .map(|address| Bind::Tcp(address.ip(), address.port()))
        .collect();
    reload(&mut listeners, THIRD, &by_number);
    let mut after = sockets(&listeners, 2, THIRD);
    after.reverse();
    assert_eq!(after, before, "in the new order");
    listeners.close_retired(nobody);
    assert!(told.iter().all(|address| connect(*address).is_ok()));
}

#[test]
fn each_generation_gets_its_own_addresses_in_every_slot() {
    let mut listeners = open(&[local(0)]);
    listeners.open_slot(SlotId(1)).unwrap();
    let old = addresses(&listeners, Generation::FIRST);
    let kept = local(old[0].port());
    listeners.stage(&config(&[local(0), kept])).unwrap();
    listeners.assign(SECOND);
    listeners.open_slot(SlotId(3)).unwrap();
    for slot in 0..4 {
        assert_eq!(sockets(&listeners, slot, Generation::FIRST).len(), 1);
        assert_eq!(sockets(&listeners, slot, SECOND).len(), 2);
    }
    listeners.close_slot(SlotId(2), nobody);
    for generation in [Generation::FIRST, SECOND] {
        assert!(sockets(&listeners, 2, generation).is_empty());
        assert!(!sockets(&listeners, 1, generation).is_empty());
    }
    listeners.drop_staged(SECOND);
    assert_eq!(addresses(&listeners, SECOND), old, "as it was");
}

#[test]
fn all_problems_are_told_and_nothing_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (theirs, taken) = (
        UnixListener::bind(path("theirs")).unwrap(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    let port = taken.local_addr().unwrap().port();
    let mut listeners = open(&[local(0), Bind::Unix(path("ours"))]);
    let before = sockets(&listeners, 0, Generation::FIRST);
    let binds = [
        Bind::Unix(path("new")),
        local(port),
        Bind::Unix(path("theirs")),
        Bind::Fd(99),
        Bind::Systemd("web".into()),
        Bind::Name("nowhere.invalid".into(), 1),
    ];
    let problems = listeners.stage(&config(&binds)).unwrap_err();
    let words = [
        "another process listens there: stop it",
        "theirs",
        "fd:99",
        "systemd:web",
        "nowhere",
    ];
    assert_eq!(problems.len(), words.len(), "{problems:#?}");
    for (problem, word) in problems.iter().zip(words) {
        assert!(problem.contains(word), "{problem}");
    }
    assert!(!path("new").exists(), "what was opened is gone");
    assert_eq!(sockets(&listeners, 0, Generation::FIRST), before);
    listeners.close_retired(nobody);
    UnixStream::connect(path("ours")).unwrap();
    assert!(path("theirs").exists());
    drop(theirs);
}

#[test]
fn who_waits_at_a_removed_address_is_handed_over_and_who_comes_later_is_refused() {
    for balance in [Balance::Slots, Balance::Shared] {
        let mut first = config(&[local(0)]);
        first.balance = balance;
        let mut listeners = open_from(&first).unwrap();
        listeners.open_slot(SlotId(3)).unwrap();
        let address = addresses(&listeners, Generation::FIRST)[0];
        let early: Vec<TcpStream> = (0..20).map(|_| connect(address).unwrap()).collect();
        reload(&mut listeners, SECOND, &[local(0)]);
        assert_eq!(connect(address).err(), None, "port 0 stays where it is");
        reload(&mut listeners, THIRD, &[everywhere(0)]);
        assert_eq!(connect(address).unwrap_err(), ErrorKind::TimedOut);
        let mut served = Vec::new();
        listeners.close_retired(|connection| served.push(connection));
        assert_eq!(served.len(), early.len() + 1);
        assert_eq!(connect(address).unwrap_err(), ErrorKind::ConnectionRefused);
        let mut early = early
            .into_iter()
            .map(|client| (client.local_addr().unwrap(), client));
        early.by_ref().for_each(|(name, client)| {
            let is_it = |server: &OwnedFd| {
                let peer = socket2::SockRef::from(server).peer_addr().unwrap();
                peer.as_socket() == Some(name)
            };
            let index = served.iter().position(is_it).unwrap();
            assert!(speaks(client, served.swap_remove(index)), "{balance:?}");
        });
    }
}

#[test]
fn a_handshake_under_way_is_waited_for() {
    let mut listeners = open(&[local(0)]);
    listeners.open_slot(SlotId(1)).unwrap();
    let address = addresses(&listeners, Generation::FIRST)[0];
    let mut shy = Shy::connect(address);
    reload(&mut listeners, SECOND, &[everywhere(0)]);
    listeners.close_retired(nobody);
    assert!(listeners.next_look().is_some());
    shy.finish();
    let mut served = Vec::new();
    listeners.close_retired(|connection| served.push(connection));
    assert!(speaks(shy.0, served.pop().unwrap()));
    assert!(listeners.next_look().is_none());
    assert_eq!(connect(address).unwrap_err(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_handshake_that_is_never_finished_is_not_waited_for_for_ever() {
    let mut listeners = open(&[local(0)]);
    let address = addresses(&listeners, Generation::FIRST)[0];
    let _shy = Shy::connect(address);
    reload(&mut listeners, SECOND, &[everywhere(0)]);
    let mut looks = 0;
    while looks == 0 || listeners.next_look().is_some() {
        listeners.close_retired(nobody);
        looks += 1;
        assert!(looks < 100);
    }
    assert_eq!(connect(address).unwrap_err(), ErrorKind::ConnectionRefused);
}

#[test]
fn an_address_that_is_wanted_again_while_it_is_closed_is_taken_back() {
    let mut listeners = open(&[local(0), local(0)]);
    listeners.open_slot(SlotId(1)).unwrap();
    let both = addresses(&listeners, Generation::FIRST);
    let before = sockets(&listeners, 1, Generation::FIRST);
    let [one, other] = [both[0], both[1]].map(|address| local(address.port()));
    reload(&mut listeners, SECOND, std::slice::from_ref(&one));
    assert_eq!(connect(both[1]).unwrap_err(), ErrorKind::TimedOut);
    listeners.open_slot(SlotId(2)).unwrap();
    reload(&mut listeners, THIRD, &[one, other]);
    assert_eq!(sockets(&listeners, 1, THIRD), before);
    assert_eq!(
        sockets(&listeners, 2, THIRD).len(),
        2,
        "with a socket for every slot"
    );
    listeners.close_retired(nobody);
    connect(both[1]).unwrap();
}

#[test]
fn what_a_failed_generation_had_added_goes_like_what_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let mut listeners = open(&[local(0)]);
    let kept = addresses(&listeners, Generation::FIRST)[0];
    let binds = [local(kept.port()), everywhere(0), Bind::Unix(path.clone())];
    listeners.stage(&config(&binds)).unwrap();
    listeners.assign(SECOND);
    let added: SocketAddr = ([127, 0, 0, 1], addresses(&listeners, SECOND)[1].port()).into();
    let waits = (connect(added).unwrap(), UnixStream::connect(&path).unwrap());
    listeners.drop_staged(SECOND);
    assert!(!path.exists());
    assert_eq!(connect(added).unwrap_err(), ErrorKind::TimedOut);
    let mut served = Vec::new();
    listeners.close_retired(|connection| served.push(connection));
    let [tcp, unix] = <[OwnedFd; 2]>::try_from(served).unwrap();
    assert!(speaks(waits.0, tcp) && speaks(waits.1, unix));
    connect(kept).unwrap();
}

#[test]
fn an_address_may_widen_and_narrow_on_its_port() {
    for balance in [Balance::Slots, Balance::Shared] {
        let mut first = config(&[local(0)]);
        first.balance = balance;
        let mut listeners = open_from(&first).unwrap();
        let address = addresses(&listeners, Generation::FIRST)[0];
        let (narrow, wide) = (local(address.port()), everywhere(address.port()));
        for (generation, bind) in [(2, &wide), (3, &narrow), (4, &wide)] {
            reload(
                &mut listeners,
                Generation(generation),
                std::slice::from_ref(bind),
            );
            listeners.close_retired(nobody);
            let client = connect(address).unwrap();
            let mut served = Vec::new();
            let waiting: Vec<_> = listeners.queues().collect();
            assert_eq!(waiting.len(), 1, "{balance:?}");
            drop(waiting);
            reload(
                &mut listeners,
                Generation(generation),
                std::slice::from_ref(bind),
            );
            listeners.close_slot(SlotId(0), |connection| served.push(connection));
            assert!(served.is_empty(), "the first socket of an address stays");
            drop(client);
            let accepted = listeners.queues().next().unwrap();
            let accepted = socket2::SockRef::from(&accepted.socket).accept();
            assert!(accepted.is_ok(), "{balance:?}");
        }
        let problems = listeners.stage(&config(&[wide, narrow])).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

#[test]
fn nobody_joins_an_address_by_accident_even_one_who_would_share() {
    let mut shared = config(&[local(0)]);
    shared.balance = Balance::Shared;
    let listeners = open_from(&shared).unwrap();
    let address = addresses(&listeners, Generation::FIRST)[0];
    assert!(listeners.of_slot(SlotId(7), Generation::FIRST)[0].is_shared);
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    other.set_reuse_address(true).unwrap();
    other.set_reuse_port(true).unwrap();
    let refused = other.bind(&address.into()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AddrInUse);
    let grouped = open(&[local(0)]);
    assert!(!grouped.of_slot(SlotId(0), Generation::FIRST)[0].is_shared);
    let address = addresses(&grouped, Generation::FIRST)[0];
    assert!(open_from(&config(&[local(address.port())])).is_err());
}

#[test]
fn a_socket_file_that_was_removed_or_replaced_is_made_again_but_for_one_that_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let bind = [Bind::Unix(path.clone())];
    let mut listeners = open(&bind);
    let before = sockets(&listeners, 0, Generation::FIRST);
    let spelled = [Bind::Unix(folder.path().join(".").join("a.sock"))];
    reload(&mut listeners, SECOND, &spelled);
    assert_eq!(sockets(&listeners, 0, SECOND), before);
    std::fs::remove_file(&path).unwrap();
    reload(&mut listeners, THIRD, &bind);
    assert_ne!(sockets(&listeners, 0, THIRD), before);
    UnixStream::connect(&path).unwrap();
    listeners.close_retired(nobody);
    assert!(path.exists(), "it is another's file by now");
    std::fs::remove_file(&path).unwrap();
    let theirs = UnixListener::bind(&path).unwrap();
    let problems = listeners.stage(&config(&bind)).unwrap_err();
    assert!(
        problems[0].contains("another process listens there"),
        "{problems:?}"
    );
    listeners.close();
    assert!(Path::exists(&path), "theirs");
    drop(theirs);
}

#[test]
fn an_abstract_name_serves_until_it_is_closed() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("brigade-test-{}", std::process::id());
    let bind = Bind::Abstract(name.clone());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let mut listeners = open(&[local(0), bind.clone()]);
    let before = sockets(&listeners, 0, Generation::FIRST);
    reload(&mut listeners, SECOND, &[local(0)]);
    let waits = UnixStream::connect_addr(&address).unwrap();
    reload(&mut listeners, THIRD, &[local(0), bind]);
    assert_eq!(sockets(&listeners, 0, THIRD), before, "taken back");
    reload(&mut listeners, Generation(4), &[local(0)]);
    let mut served = Vec::new();
    listeners.close_retired(|connection| served.push(connection));
    assert!(speaks(waits, served.pop().unwrap()));
    let late = UnixStream::connect_addr(&address).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_rehearsal_finds_every_problem_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let mut listeners = open(&[local(0)]);
    let kept = addresses(&listeners, Generation::FIRST);
    reload(&mut listeners, SECOND, &[everywhere(0)]);
    let new = Bind::Unix(folder.path().join("new"));
    listeners
        .rehearse(&config(&[new, local(kept[0].port()), local(0)]))
        .unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(
        connect(kept[0]).unwrap_err(),
        ErrorKind::TimedOut,
        "still retired"
    );
    let binds = [Bind::Fd(99), Bind::Unix(folder.path().join("no/such"))];
    let problems = listeners.rehearse(&config(&binds)).unwrap_err();
    assert_eq!(problems.len(), 2);
}

#[test]
fn everything_goes_along_into_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let mut listeners = open(&[local(0), Bind::Unix(path.clone()), everywhere(0)]);
    listeners.open_slot(SlotId(2)).unwrap();
    let told = addresses(&listeners, Generation::FIRST);
    let kept = [local(told[0].port()), Bind::Unix(path.clone())];
    reload(&mut listeners, SECOND, &kept);
    listeners
        .stage(&config(&[&kept[..], &[local(0)]].concat()))
        .unwrap();
    listeners.assign(THIRD);
    let seen = |listeners: &Listeners| {
        let of = |generation| (0..3).map(move |slot| (slot, generation));
        let all = of(SECOND).chain(of(THIRD));
        let all = all.map(|(slot, generation)| sockets(listeners, slot, generation));
        all.collect::<Vec<_>>()
    };
    let before = seen(&listeners);
    let mut packing = Packing::default();
    let state = serde_json::to_string(&listeners.pack(&mut packing)).unwrap();
    let numbers = packing.numbers();
    for number in &numbers {
        fd::set_inheritable(*number, true).unwrap();
    }
    // As an exec does it: the descriptors stay, and nobody owns them.
    let _left_behind = std::mem::ManuallyDrop::new(listeners);
    let unpack =
        |mut luggage| Listeners::unpack(serde_json::from_str(&state).unwrap(), &mut luggage);
    let mut listeners = unpack(Unpacking::new(&numbers)).unwrap();
    assert_eq!(seen(&listeners), before);
    connect(told[0]).unwrap();
    UnixStream::connect(&path).unwrap();
    let removed: SocketAddr = ([127, 0, 0, 1], told[1].port()).into();
    assert_eq!(
        connect(removed).unwrap_err(),
        ErrorKind::TimedOut,
        "still retired"
    );
    listeners.close_retired(nobody);
    assert_eq!(connect(removed).unwrap_err(), ErrorKind::ConnectionRefused);
    listeners.commit(THIRD);
    listeners.close();
    assert!(!path.exists(), "it is still ours to remove");
    assert!(
        unpack(Unpacking::new(&numbers)).is_err(),
        "nothing came along"
    );
}
