//! The durable guard over HTTP on one database: one, two and three nodes, one workspace and many.
//!
//! Connections go to the nodes in turns, as a load balancer would send them, but without one in between.

use super::database::{Database, Footprint, Written, connect, server_cpu};
use super::{Row, Seen, in_turns};
use crate::http;
use crate::load::{Target, cpu_time, now, spread_loop};
use crate::rules;
use crate::subject::{self, BODY, Folder, Subject, guard_request, wait_for};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::time::Duration;

const CONNECTIONS: [usize; 3] = [1, 64, 256];
const NODES: usize = 3;
const WORKSPACES: [usize; 3] = [1, 4, 16];

/// Servers that take turns with others, and what is sent to them.
struct Crew<'s> {
    servers: &'s [Subject],
    targets: Vec<Target>,
}

impl<'s> Crew<'s> {
    fn of(servers: &'s [Subject], requests: &[Vec<u8>]) -> Self {
        let targets = requests.iter().flat_map(|request| {
            servers.iter().map(|server| Target { address: server.address, request: request.clone() })
        });
        Self { servers, targets: targets.collect() }
    }

    async fn run(&self, connections: usize, length: Duration) -> Result<Seen> {
        let own = || self.servers.iter().map(|server| cpu_time(server.pid())).sum();
        let (run, [own, database]) = spread_loop(&self.targets, connections, length, [&own, &server_cpu]).await?;
        Ok(Seen { run, own, database })
    }
}

/// Nodes of one installation on a database of their own, with 1,000 rules in every workspace.
struct Installation {
    database: Database,
    nodes: Vec<Subject>,
    first: Folder,
}

impl Installation {
    async fn start(runplane: &Path, folder: &Path, server: &str, name: &str, nodes: usize) -> Result<Self> {
        let database = Database::create(server, name).await?;
        let first = Folder::init_on(runplane, folder.join(name), Some(database.url()?))?;
        let mut running = vec![first.serve(runplane, "node 1")?.0];
        for number in 1..nodes {
            let node = first.another(folder.join(format!("{name}-{number}")))?;
            running.push(node.serve(runplane, &format!("node {}", number + 1))?.0);
        }
        let installation = Self { database, nodes: running, first };
        installation.first.publish(installation.address()?, &rules::policy(crate::guard::RULES, 0)?)?;
        Ok(installation)
    }

    fn address(&self) -> Result<std::net::SocketAddr> {
        Ok(self.nodes.first().context("there is no node")?.address)
    }

    /// One more workspace; the request of its agent.
    fn add_workspace(&self, name: &str) -> Result<Vec<u8>> {
        let (address, token) = (self.address()?, &self.first.admin_token);
        let json = "application/json";
        http::send(address, "POST", "/api/v1/workspaces", token, json, &format!(r#"{{"name":"{name}"}}"#))?;
        let new = r#"{"name":"bench","environment":"test"}"#;
        let made = http::send_in(address, name, "POST", "/api/v1/agents", token, json, new)?;
        let policy = rules::policy(crate::guard::RULES, 0)?;
        http::send_in(address, name, "PUT", "/api/v1/policies/bench", token, "application/yaml", &policy)?;
        let made: serde_json::Value = serde_json::from_str(&made)?;
        let key = made.pointer("/key/key").and_then(|key| key.as_str()).context("a new agent has no key")?;
        Ok(guard_request(key, BODY))
    }

    async fn end(self) -> Result<()> {
        for node in self.nodes {
            node.stop()?;
        }
        self.database.remove().await
    }
}

pub async fn guard(
    runplane: &Path,
    folder: &Path,
    server: &str,
    seconds: u64,
    rounds: usize,
) -> Result<(Vec<Row>, Footprint)> {
    let plain = Database::create(server, "http_floor").await?;
    let floor = [subject::floor_on(&plain.url()?)?];
    let installation = Installation::start(runplane, folder, server, "guard", NODES).await?;
    let floor_request = [floor.first().context("no floor")?.request.clone()];
    let request = [guard_request(&installation.first.agent_key, BODY)];
    let mut crews = vec![("durable floor".to_owned(), Crew::of(&floor, &floor_request))];
    for count in 1..=NODES {
        let nodes = installation.nodes.get(..count).context("too few nodes")?;
        crews.push((format!("runplane, nodes: {count}"), Crew::of(nodes, &request)));
    }
    let rows = rows(&crews, &CONNECTIONS, seconds, rounds).await?;
    // Alone, so that the log is of nothing else; and after it, until the lists have caught up.
    let before = settled(&installation).await?;
    let (_, one) = crews.get(1).context("no node")?;
    one.run(64, Duration::from_secs(seconds)).await?;
    let footprint = before.until(settled(&installation).await?);
    drop(crews);
    drop(floor);
    installation.end().await?;
    plain.remove().await?;
    Ok((rows, footprint))
}

/// As many connections as the largest measurement above, over one workspace and over many.
pub async fn workspaces(runplane: &Path, folder: &Path, server: &str, seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let installation = Installation::start(runplane, folder, server, "workspaces", NODES).await?;
    let mut requests = vec![guard_request(&installation.first.agent_key, BODY)];
    for number in 1..WORKSPACES.into_iter().max().unwrap_or(1) {
        requests.push(installation.add_workspace(&format!("team-{number}"))?);
    }
    // Every node has to have heard of every workspace.
    for node in &installation.nodes {
        for request in &requests {
            answered(node, request)?;
        }
    }
    let mut crews = Vec::new();
    for nodes in [1, NODES] {
        let servers = installation.nodes.get(..nodes).context("too few nodes")?;
        for count in WORKSPACES {
            let requests = requests.get(..count).context("too few workspaces")?;
            crews.push((format!("nodes: {nodes}, workspaces: {count}"), Crew::of(servers, requests)));
        }
    }
    let rows = rows(&crews, &[256], seconds, rounds).await?;
    drop(crews);
    installation.end().await?;
    Ok(rows)
}

/// What is written when nothing is left to do.
async fn settled(installation: &Installation) -> Result<Written> {
    let url = installation.database.url()?;
    let client = connect(&url).await?;
    let behind = "SELECT (SELECT sum(size) FROM runplane.heads) > (SELECT sum(listed) FROM runplane.cursors)";
    let begin = now();
    while client.query_one(behind, &[]).await?.try_get::<_, Option<bool>>(0)? != Some(false) {
        if begin.elapsed() > Duration::from_secs(120) {
            bail!("the lists do not catch up");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Written::read(&url).await
}

fn answered(node: &Subject, request: &[u8]) -> Result<()> {
    use std::io::{Read, Write};
    for _ in 0..600 {
        let mut stream = std::net::TcpStream::connect(node.address)?;
        stream.write_all(request)?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        if answer.ends_with(b"200") {
            return Ok(());
        }
        subject::pause(Duration::from_millis(100));
    }
    bail!("{} does not know a workspace", node.name)
}

async fn rows(crews: &[(String, Crew<'_>)], connections: &[usize], seconds: u64, rounds: usize) -> Result<Vec<Row>> {
    let length = Duration::from_secs(seconds);
    in_turns(crews, connections, rounds, async |crew, connections| crew.run(connections, length).await).await
}

/// Nodes under load, for somebody who looks into them meanwhile.
pub async fn drive(
    runplane: &Path,
    folder: &Path,
    server: &str,
    nodes: usize,
    connections: usize,
    seconds: u64,
) -> Result<()> {
    let installation = Installation::start(runplane, folder, server, "drive", nodes).await?;
    for node in &installation.nodes {
        wait_for(node.address, "/healthz")?;
        crate::say(&node.pid().to_string());
    }
    let request = [guard_request(&installation.first.agent_key, BODY)];
    let crew = Crew::of(&installation.nodes, &request);
    let Seen { run, own, database } = crew.run(connections, Duration::from_secs(seconds)).await?;
    let [own, database] = [own, database].map(|cpu| cpu.map_or(f64::NAN, crate::guard::micros));
    crate::say(&format!(
        "{:.0} req/s, p50 {:.0} µs, CPU {own:.1} µs, PostgreSQL's {database:.1} µs",
        run.per_second,
        crate::guard::micros(run.p50)
    ));
    drop(crew);
    installation.end().await
}
