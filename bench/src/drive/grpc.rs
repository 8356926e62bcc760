//! gRPC by tonic, over one HTTP/2 connection without TLS.
//!
//! Requests: one bidirectional stream, which gRPC's performance guide recommends over a call per message. Streams: a
//! server-streaming call. Windows of 16 MiB instead of 64 KiB, no Nagle's delay, no limit for the size of messages;
//! one thread on each side.

use super::{DriveError, Job, REPLY, Report, announce};
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Instant;
use stubs::exchange_client::ExchangeClient;
use stubs::exchange_server::{Exchange, ExchangeServer};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

#[expect(unreachable_pub, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod stubs {
    include!(concat!(env!("OUT_DIR"), "/axon.bench.Exchange.rs"));
}

/// Bytes that may be on their way before the receiver has to allow more.
const WINDOW: u32 = 16 << 20;

/// A request, a reply, or a message of a stream.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Payload {
    #[prost(bytes = "bytes", tag = "1")]
    data: Bytes,
}

impl Payload {
    fn of(size: usize) -> Self {
        Self { data: Bytes::from(vec![0; size]) }
    }
}

type Payloads = Pin<Box<dyn Stream<Item = Result<Payload, Status>> + Send>>;

struct Service {
    message: Payload,
}

#[tonic::async_trait]
impl Exchange for Service {
    type ConverseStream = Payloads;
    type PourStream = Payloads;

    async fn converse(&self, requests: Request<Streaming<Payload>>) -> Result<Response<Payloads>, Status> {
        let reply = Payload::of(REPLY);
        let replies = requests.into_inner().map(move |request| request.map(|_| reply.clone()));
        Ok(Response::new(Box::pin(replies)))
    }

    async fn pour(&self, _request: Request<Payload>) -> Result<Response<Payloads>, Status> {
        let message = self.message.clone();
        let messages = tokio_stream::iter(std::iter::repeat_with(move || Ok(message.clone())));
        Ok(Response::new(Box::pin(messages)))
    }
}

/// Serves until killed.
pub(super) fn serve(addr: SocketAddr, job: &Job) -> Result<(), DriveError> {
    let message = Payload::of(job.size);
    runtime()?.block_on(async move {
        let listener = TcpListener::bind(addr).await?;
        announce(listener.local_addr()?)?;
        let service = ExchangeServer::new(Service { message }).max_decoding_message_size(usize::MAX);
        Server::builder()
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .add_service(service)
            .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
            .await?;
        Ok(())
    })
}

/// Loads one connection.
pub(super) fn load(addr: SocketAddr, job: &Job) -> Result<Report, DriveError> {
    runtime()?.block_on(async {
        let channel = Endpoint::from_shared(format!("http://{addr}"))?
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .connect()
            .await?;
        let client = ExchangeClient::new(channel).max_decoding_message_size(usize::MAX);
        if job.stream { drink(client, job).await } else { ask(client, job).await }
    })
}

fn runtime() -> Result<Runtime, DriveError> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

async fn ask(mut client: ExchangeClient<Channel>, job: &Job) -> Result<Report, DriveError> {
    let request = Payload::of(job.size);
    let (sender, requests) = mpsc::channel(job.depth);
    let mut sent = VecDeque::with_capacity(job.depth);
    let mut recorder = job.recorder();
    for _ in 0..job.depth {
        sent.push_back(Instant::now());
        sender.send(request.clone()).await.map_err(|_| DriveError::Gone)?;
    }
    let mut replies = client.converse(ReceiverStream::new(requests)).await.map_err(refused)?.into_inner();
    loop {
        next(&mut replies).await?;
        let now = Instant::now();
        recorder.reply(sent.pop_front().unwrap_or(now), now);
        if recorder.is_over(now) {
            return Ok(recorder.report());
        }
        sent.push_back(now);
        sender.send(request.clone()).await.map_err(|_| DriveError::Gone)?;
    }
}

async fn drink(mut client: ExchangeClient<Channel>, job: &Job) -> Result<Report, DriveError> {
    let mut messages = client.pour(Payload::default()).await.map_err(refused)?.into_inner();
    let mut recorder = job.recorder();
    loop {
        next(&mut messages).await?;
        let now = Instant::now();
        recorder.arrived(1, now);
        if recorder.is_over(now) {
            return Ok(recorder.report());
        }
    }
}

async fn next(stream: &mut Streaming<Payload>) -> Result<Payload, DriveError> {
    stream.message().await.map_err(refused)?.ok_or(DriveError::Gone)
}

fn refused(status: Status) -> DriveError {
    DriveError::Status(Box::new(status))
}
