//! Requests that are wrong, bytes that are none, and connections that are not gRPC: each gets its
//! answer, and the agent goes on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use fulcrum_api::v1;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tonic::Code;
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

use crate::process::{Agent, knobs, lease};

/// The field that a refusal names.
fn field(status: &tonic::Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    status.get_details_bad_request().unwrap().field_violations[0].field.clone()
}

#[tokio::test]
async fn every_malformed_field_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &[]);
    let mut client = agent.client().await;
    let highest: Vec<f64> =
        knobs(&mut client).await.iter().map(|knob| *knob.levels.last().unwrap()).collect();
    let token = lease(&mut client, 60).await;
    let span = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });

    let take =
        v1::TakeLeaseRequest { holder: "x".into(), duration: None, request_id: String::new() };
    for (request, name) in [
        (v1::TakeLeaseRequest { holder: " ".into(), ..take.clone() }, "holder"),
        (v1::TakeLeaseRequest { holder: "x".repeat(129), ..take.clone() }, "holder"),
        (v1::TakeLeaseRequest { duration: span(0, 1), ..take.clone() }, "duration"),
        (v1::TakeLeaseRequest { duration: span(-1, 0), ..take.clone() }, "duration"),
        (v1::TakeLeaseRequest { request_id: "x".repeat(65), ..take.clone() }, "request_id"),
    ] {
        assert_eq!(field(&client.take_lease(request).await.unwrap_err()), name);
    }
    for (interval, history, name) in [
        (span(0, 1), None, "interval"),
        (span(61, 0), None, "interval"),
        (None, span(601, 0), "history"),
    ] {
        let request = v1::WatchSamplesRequest { interval, history };
        assert_eq!(field(&client.watch_samples(request).await.unwrap_err()), name);
    }
    let set = |mode: Option<Vec<f64>>| v1::SetPowerModeRequest {
        lease_token: token.clone(),
        mode: mode.map(|levels| v1::PowerMode { levels }),
        validate_only: false,
        settle_within: None,
    };
    let mut off = highest.clone();
    off[2] += 1.0;
    for (mode, name) in
        [(None, "mode"), (Some(vec![1.0]), "mode.levels"), (Some(off.clone()), "mode.levels[2]")]
    {
        assert_eq!(field(&client.set_power_mode(set(mode)).await.unwrap_err()), name);
    }
    let measure = v1::MeasureRequest {
        lease_token: token.clone(),
        workload: "resnet18".into(),
        kind: v1::WorkloadKind::Train.into(),
        batch_size: 16,
        mode: Some(v1::PowerMode { levels: highest.clone() }),
        minibatches: 0,
        power_samples: 0,
        timeout: None,
    };
    for (request, name) in [
        (v1::MeasureRequest { lease_token: String::new(), ..measure.clone() }, "lease_token"),
        (v1::MeasureRequest { workload: String::new(), ..measure.clone() }, "workload"),
        (v1::MeasureRequest { kind: 0, ..measure.clone() }, "kind"),
        (v1::MeasureRequest { kind: 9, ..measure.clone() }, "kind"),
        (v1::MeasureRequest { batch_size: 0, ..measure.clone() }, "batch_size"),
        (v1::MeasureRequest { minibatches: 10_001, ..measure.clone() }, "minibatches"),
        (v1::MeasureRequest { power_samples: 1_001, ..measure.clone() }, "power_samples"),
        (v1::MeasureRequest { timeout: span(3_601, 0), ..measure.clone() }, "timeout"),
        (v1::MeasureRequest { mode: None, ..measure.clone() }, "mode"),
    ] {
        assert_eq!(field(&client.measure(request).await.unwrap_err()), name);
    }
    // A workload that there is none of is no malformed request: it just cannot be measured.
    let request = v1::MeasureRequest { workload: "unheard-of".into(), ..measure };
    let mut updates = client.measure(request).await.unwrap().into_inner();
    let mut last = None;
    while let Some(update) = updates.message().await.unwrap() {
        last = update.update;
    }
    let Some(v1::measure_response::Update::Failure(failure)) = last else { panic!("{last:?}") };
    assert_eq!(failure.kind(), v1::measure_failure::Kind::Unavailable);
}

/// Bytes as if they were a message.
#[derive(Clone, PartialEq, Default)]
struct Raw(Vec<u8>);

impl prost::Message for Raw {
    fn encode_raw(&self, buffer: &mut impl prost::bytes::BufMut) {
        buffer.put_slice(&self.0);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: prost::encoding::WireType,
        buffer: &mut impl prost::bytes::Buf,
        context: prost::encoding::DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[tokio::test]
async fn ten_thousand_random_messages_leave_it_serving() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::simulated(folder.path(), &["--calls-a-second", "100000"]);
    let endpoint = tonic::transport::Endpoint::from_shared(agent.address().to_string()).unwrap();
    let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let rpcs = [
        "GetBoard",
        "GetSample",
        "GetStatus",
        "TakeLease",
        "RenewLease",
        "ReleaseLease",
        "SetPowerMode",
    ];
    for i in 0..10_000 {
        let mut bytes = vec![0u8; random.random_range(0..200)];
        random.fill_bytes(&mut bytes);
        // Half of them begin as a real field does.
        if i % 2 == 0 && bytes.len() > 2 {
            bytes[0] = 8 * random.random_range(1..6) + 2;
            bytes[1] = random.random_range(0..40);
        }
        let rpc = rpcs[random.random_range(0..rpcs.len())];
        let path = format!("/fulcrum.v1.AgentService/{rpc}").parse().unwrap();
        grpc.ready().await.unwrap();
        let codec = ProstCodec::<Raw, Raw>::default();
        let answer = grpc.unary(tonic::Request::new(Raw(bytes)), path, codec).await;
        if let Err(status) = answer {
            assert_ne!(status.code(), Code::Unknown, "{status:?}");
        }
    }
    agent.client().await.get_sample(v1::GetSampleRequest {}).await.unwrap();
}

#[tokio::test]
async fn a_thousand_garbage_connections_leave_it_serving() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = listener.local_addr().unwrap();
    drop(listener);
    let agent = Agent::simulated(folder.path(), &["--listen", &tcp.to_string()]);
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut open = Vec::new();
    for i in 0..1_000 {
        let mut bytes = vec![0u8; random.random_range(1..2_000)];
        random.fill_bytes(&mut bytes);
        if i % 3 == 0 {
            bytes.splice(0..0, *b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        }
        if i % 2 == 0 {
            let mut stream = UnixStream::connect(folder.path().join("agent.sock")).unwrap();
            let _ = stream.write_all(&bytes);
            // Some are left open and silent.
            if i % 10 == 0 {
                open.push(stream);
            }
        } else {
            let mut stream = TcpStream::connect(tcp).unwrap();
            let _ = stream.write_all(&bytes);
            stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            let _ = stream.read(&mut [0; 64]);
        }
    }
    agent.client().await.get_sample(v1::GetSampleRequest {}).await.unwrap();
    assert!(agent.terminate().success());
}
