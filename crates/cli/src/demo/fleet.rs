//! Three simulated boards with a job each: planned, run, given another budget, killed, and given a
//! site's power to share.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use fulcrum_api::{Address, v1};
use fulcrum_telemetry::{LogFormat, LogLevel, start_log};

use crate::exit::{Exit, Failure};
use crate::fleet::{all_boards, board_table};
use crate::job::JobFile;
use crate::up::{LocalFleet, Places};

const GATE: &str = include_str!("../../../../deploy/jobs/gate.toml");
const YARD: &str = include_str!("../../../../deploy/jobs/yard.toml");
const HALL: &str = include_str!("../../../../deploy/jobs/hall.toml");
/// How long to wait for what should take seconds.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(5);
/// Moves up so many lines and clears what was there.
const UP: &str = "\x1b[{}A\x1b[J";

/// A fleet, and what was asked of it.
struct Show {
    fleet: LocalFleet,
}

/// Shows it all.
pub(super) fn run() -> Result<Exit, Failure> {
    start_log(LogLevel::Error, LogFormat::Text);
    let data = std::env::temp_dir().join(format!("fulcrum-demo-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let shown = runtime.block_on(async {
        let places = Places {
            scheduler: Address::Socket(data.join("scheduler.sock")),
            optimizer: Address::Socket(data.join("optimizer.sock")),
            http: None,
            optimizer_http: None,
        };
        let fleet = LocalFleet::start(&data, 3, &places).await?;
        let mut show = Show { fleet };
        let shown = show.everything().await;
        show.fleet.stop().await;
        shown
    });
    let _ = std::fs::remove_dir_all(&data);
    shown
}

impl Show {
    async fn everything(&mut self) -> Result<Exit, Failure> {
        say("Three simulated Jetson AGX Orin, an optimizer and a scheduler, with SQLite.\n")?;
        say("1. A job for each board, as files declare them. The first:\n")?;
        say(GATE)?;
        let began = Instant::now();
        for text in [GATE, YARD, HALL] {
            self.submit(text).await?;
        }
        for job in ["gate", "yard", "hall"] {
            self.until_running(job).await?;
        }
        let took = began.elapsed().as_secs_f64();
        let measured = self.measured().await?;
        say(&format!(
            "All run after {took:.1} s: {measured} measurements, on tables of the boards.\n"
        ))?;

        say("2. What they do, a window of one second at a time:\n")?;
        self.watch(Duration::from_secs(6)).await?;

        say("\n3. The gate may draw only 24 W from now on:\n")?;
        let began = Instant::now();
        let job = self.submit(&GATE.replace("\"30W\"", "\"24W\"")).await?;
        self.until_running("gate").await?;
        let took = began.elapsed();
        let plan = self.plan("gate").await?;
        say(&format!(
            "generation {} in force after {:.0} ms, from the {}: {} measurements, at most {:.1} W",
            job.generation,
            1e3 * took.as_secs_f64(),
            plan.origin,
            plan.measurements,
            plan.plan.unwrap_or_default().peak_power_watts
        ))?;

        say("\n4. And with 8 W it cannot be, which is an answer too:\n")?;
        self.submit(&GATE.replace("\"30W\"", "\"8W\"")).await?;
        let job = self.until("gate", |answer| state(answer) == "infeasible").await?;
        say(&job.job.unwrap_or_default().message)?;
        self.submit(GATE).await?;
        self.until_running("gate").await?;

        say("\n5. The power of the third board fails, and comes back:\n")?;
        self.fleet.kill_board(3);
        self.until("hall", |answer| is_at(answer, "unreachable")).await?;
        self.table().await?;
        let began = Instant::now();
        self.fleet.start_board(3).await?;
        self.until_running("hall").await?;
        say(&format!("\nIt runs again {:.1} s after its start.", began.elapsed().as_secs_f64()))?;

        say("\n6. All three together may draw 75 W; training loses as little as it can:\n")?;
        let request = v1::SetSitePowerRequest { watts: Some(75.0), ..Default::default() };
        let set = self.fleet.scheduler.set_site_power(request).await;
        set.map_err(|status| anyhow::anyhow!("{}", status.message()))?;
        self.until_budgets(75.0).await?;
        self.watch(Duration::from_secs(4)).await?;

        say(
            "\nThe boards go back to what they were. Your own: fulcrum up, fulcrum job submit FILE",
        )?;
        Ok(Exit::Solved)
    }

    async fn submit(&mut self, text: &str) -> Result<v1::Job, Failure> {
        let file = JobFile::parse(text)
            .map_err(|(line, problem)| anyhow::anyhow!("line {line}: {problem}"))?;
        let request = v1::SubmitJobRequest {
            name: format!("jobs/{}", file.name),
            spec: Some(file.spec()),
            ..Default::default()
        };
        let answer = self.fleet.scheduler.submit_job(request).await;
        let answer = answer.map_err(|status| anyhow::anyhow!("{}", status.message()))?;
        Ok(answer.into_inner().job.unwrap_or_default())
    }

    /// Waits until a job is as it should be.
    async fn until(
        &mut self,
        job: &str,
        is_so: impl Fn(&v1::GetJobResponse) -> bool,
    ) -> Result<v1::GetJobResponse, Failure> {
        let began = Instant::now();
        loop {
            let answer = self.job(job).await?;
            if is_so(&answer) {
                return Ok(answer);
            }
            if began.elapsed() > PATIENCE {
                let job = answer.job.unwrap_or_default();
                return Err(anyhow::anyhow!("{}: {}", job.state, job.message).into());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn until_running(&mut self, job: &str) -> Result<(), Failure> {
        let is_so = |answer: &v1::GetJobResponse| {
            let generation = answer.job.as_ref().map_or(0, |job| job.generation);
            state(answer) == "running"
                && is_at(answer, "running")
                && answer.plans.iter().all(|plan| plan.generation == generation)
        };
        self.until(job, is_so).await.map(drop)
    }

    /// Waits until the plans in force keep within a site's power.
    async fn until_budgets(&mut self, watts: f64) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let answer = self.fleet.scheduler.get_site_power(v1::GetSitePowerRequest {}).await;
            let answer = answer.map_err(|status| anyhow::anyhow!("{}", status.message()))?;
            if answer.into_inner().in_force_watts <= watts {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(anyhow::anyhow!("the boards draw more than the site may").into());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn job(&mut self, name: &str) -> Result<v1::GetJobResponse, Failure> {
        let request = v1::GetJobRequest { name: format!("jobs/{name}") };
        let answer = self.fleet.scheduler.get_job(request).await;
        Ok(answer.map_err(|status| anyhow::anyhow!("{}", status.message()))?.into_inner())
    }

    async fn plan(&mut self, job: &str) -> Result<v1::JobPlan, Failure> {
        Ok(self.job(job).await?.plans.pop().unwrap_or_default())
    }

    async fn measured(&mut self) -> Result<u32, Failure> {
        let mut measured = 0;
        for job in ["gate", "yard", "hall"] {
            measured += self.plan(job).await?.measurements;
        }
        Ok(measured)
    }

    /// Shows the boards for a while: again and again in a terminal, else at its end.
    async fn watch(&mut self, time: Duration) -> Result<(), Failure> {
        let began = Instant::now();
        if !std::io::stdout().is_terminal() {
            tokio::time::sleep(time).await;
            return self.table().await;
        }
        let mut lines = 0;
        while began.elapsed() < time {
            if lines > 0 {
                write!(std::io::stdout(), "{}", UP.replace("{}", &lines.to_string()))?;
            }
            let table = self.boards().await?;
            lines = table.lines().count();
            say(&table)?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    async fn table(&mut self) -> Result<(), Failure> {
        let table = self.boards().await?;
        say(&table)
    }

    async fn boards(&mut self) -> Result<String, Failure> {
        let boards = all_boards(&mut self.fleet.scheduler).await;
        Ok(board_table(&boards.map_err(|status| anyhow::anyhow!("{}", status.message()))?))
    }
}

fn state(answer: &v1::GetJobResponse) -> &str {
    answer.job.as_ref().map_or("", |job| job.state.as_str())
}

/// Whether all of a job's boards are in a state.
fn is_at(answer: &v1::GetJobResponse, state: &str) -> bool {
    !answer.boards.is_empty() && answer.boards.iter().all(|board| board.state == state)
}

fn say(text: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
