use super::*;
use std::net::Ipv4Addr;

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
