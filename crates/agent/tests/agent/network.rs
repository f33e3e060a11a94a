//! An agent that serves on TCP, and says in its log where.

use std::time::{Duration, Instant};

use fulcrum_api::{connect, v1};

use crate::process::Agent;

#[tokio::test]
async fn an_agent_on_tcp_says_where_in_a_log_that_programs_read() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--log", "info", "--log-format", "json"];
    let agent = Agent::simulated(folder.path(), &flags);
    let began = Instant::now();
    let listening = loop {
        let log = agent.log();
        // The last line may not be whole yet.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines: Vec<serde_json::Value> =
            whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        for line in &lines {
            assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        }
        let said = lines.into_iter().find(|line| line["fields"]["flag"] == "--listen");
        if let Some(said) = said {
            break said;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it does not say where: {log}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let address = listening["fields"]["address"].as_str().unwrap();
    let mut client = connect(&format!("http://{address}").parse().unwrap()).await.unwrap();
    let board = client.get_board(v1::GetBoardRequest {}).await.unwrap().into_inner().board;
    assert_eq!(board.unwrap().kind, "simulated");
}
