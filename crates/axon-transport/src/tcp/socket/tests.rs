use super::*;
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;

#[test]
fn a_connection_to_oneself_is_refused() {
    // What the kernel does when it happens to choose the port that is called as the caller's own.
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let fd = inet::stream_socket(&any, SocketFlags::NONBLOCK).unwrap();
    rustix::net::bind(&fd, &any).unwrap();
    let own = inet::local_addr(&fd).unwrap();
    match rustix::net::connect(&fd, &own) {
        Ok(()) | Err(Errno::INPROGRESS) => (),
        Err(error) => panic!("{error}"),
    }
    assert_eq!(inet::peer_addr(&fd).unwrap(), Some(own));

    let mut socket = Socket::open(fd);
    socket.connecting = true;
    let mut completions = Vec::new();
    let mut context = Context {
        id: SocketId(1),
        chunks: &mut Chunks::default(),
        counters: &mut Counters::default(),
        completions: &mut completions,
    };
    match socket.turn(EventFlags::OUT, &mut context) {
        ControlFlow::Break(Some(error)) => assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused),
        other => panic!("{other:?}"),
    }
    assert!(completions.is_empty());
}

#[test]
fn after_a_body_with_a_place_of_its_own_some_reads_take_only_heads() {
    let (mut far, near) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    far.write_all(&[7; 100_000]).unwrap();
    let mut socket = Socket::open(near.into());
    let (mut chunks, mut counters, mut completions) = (Chunks::default(), Counters::default(), Vec::new());
    socket.receive_into(BytesMut::with_capacity(1000), 1000);
    for _ in 0..=1 + HEADS {
        let mut context = Context {
            id: SocketId(1),
            chunks: &mut chunks,
            counters: &mut counters,
            completions: &mut completions,
        };
        assert!(socket.turn(EventFlags::IN, &mut context).is_continue());
        socket.receive();
    }
    let lengths: Vec<_> = completions
        .iter()
        .map(|completion| match completion {
            Completion::Filled { data, .. } | Completion::Received { data, .. } => data.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    let rest = 100_000 - 1000 - usize::from(HEADS) * HEAD;
    assert_eq!(lengths, [1000, HEAD, HEAD, HEAD, HEAD, rest]);
}
