//! What a send to a group of 10,000 costs beside one to a private chat, through the log and into the views.
//!
//! `cargo bench -p projections --bench group`; `ROUNDS` (5), `SECONDS_PER_CELL` (3) and `MEMBERS` (10,000)
//! change the run. Both are measured in turn, so that a noisy neighbour disturbs both; a cell ends when the
//! views hold its last message.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark prints and may fail")]

#[path = "../../eventlog/benches/append/cpu.rs"]
mod cpu;
#[path = "../tests/kit/mod.rs"]
mod kit;

use std::env;
use std::time::{Duration, Instant};

use cpu::Cpu;
use domain::conversation::{Conversation, ConversationCommand, GroupCommand, MEMBERS_PER_COMMAND_MAX};
use domain::values::GroupName;
use domain::{AccountId, Action, ConversationId, Pair, Refusal, StreamRef, Streams};
use eventlog::fresh::new_uuid;
use eventlog::testing::PrivateCluster;
use futures_util::future::join_all;
use kit::{House, Running, TEMPLATE};
use projections::ProjectorConfig;

/// Callers at once.
const CALLERS: [usize; 2] = [1, 32];
/// Messages for the figure of bytes.
const MESSAGES: usize = 20_000;
/// A text of 100 bytes.
const TEXT: &str =
    "A message of exactly one hundred bytes, as people write them every day, and a bit more of it, so so.";

/// Sends per second, and processor time per send.
#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    cpu_us: f64,
}

/// Where messages go to, and who sends them.
struct Room {
    conversation: ConversationId,
    senders: Vec<AccountId>,
}

#[tokio::main]
async fn main() {
    let rounds = number("ROUNDS", 5);
    let time = Duration::from_secs(number("SECONDS_PER_CELL", 3));
    let members = usize::try_from(number("MEMBERS", 10_000)).unwrap();
    let cluster = PrivateCluster::start().await.unwrap();
    let server = cluster.cluster().unwrap().server_pid();
    let options = cluster.database("annal", &TEMPLATE).await.unwrap();
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_with(options.clone());
    let house = House::on(options, pool.await.unwrap()).await;
    let running = house.projector(ProjectorConfig::default()).await;
    let rooms = [private(&house).await, group(&house, members).await];
    house.settled(&running.views).await;
    sqlx::raw_sql("ANALYZE").execute(&house.pool()).await.unwrap();
    println!(
        "| callers | private chat: sends/s (CPU us) | group of {members} (the same) | CPU, group / private |"
    );
    println!("|---|---|---|---|");
    for callers in CALLERS {
        let mut figures = [vec![], vec![]];
        for round in 0..=rounds {
            for turn in 0..2 {
                // Each goes first in every other round; the first round warms up.
                let which = usize::from((round % 2 == 0) != (turn == 0));
                let measured = measure(&house, &running, &rooms[which], callers, time, server).await;
                if round > 0 {
                    figures[which].push(measured);
                }
            }
        }
        let ratio = median(figures[1].iter().zip(&figures[0]).map(|(one, two)| one.cpu_us / two.cpu_us));
        let [private, group] = figures.map(|all| {
            let rate = median(all.iter().map(|figures| figures.per_second));
            format!("{rate:.0} ({:.0})", median(all.iter().map(|figures| figures.cpu_us)))
        });
        println!("| {callers} | {private} | {group} | {ratio:.2} |");
    }
    println!("\n{}", bytes_per_message(&house, &running, &rooms[1]).await);
    running.stop().await;
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// All callers send as fast as they are answered; the time runs until the views hold everything.
async fn measure(
    house: &House,
    running: &Running,
    room: &Room,
    callers: usize,
    time: Duration,
    server: u32,
) -> Figures {
    let (begin, cpu) = (Instant::now(), Cpu::now(server));
    let sent = join_all((0..callers).map(|caller| async move {
        let mut sent = 0_u32;
        while begin.elapsed() < time {
            house.says_in(room.conversation, room.senders[caller % room.senders.len()], TEXT).await;
            sent += 1;
        }
        sent
    }));
    let sent = f64::from(sent.await.into_iter().sum::<u32>());
    house.settled(&running.views).await;
    let cpu = Cpu::now(server).since(cpu);
    Figures {
        per_second: sent / begin.elapsed().as_secs_f64(),
        cpu_us: (cpu.own + cpu.postgres).as_secs_f64() * 1e6 / sent,
    }
}

/// A command to a conversation as it is: those who are in it need not be friends here.
struct Ask(ConversationId, ConversationCommand);

impl Action for Ask {
    fn streams(&self) -> Vec<StreamRef> {
        vec![StreamRef::of::<Conversation>(&self.0)]
    }

    fn decide<S: Streams>(&self, streams: &mut S) -> Result<(), Refusal> {
        streams.decide::<Conversation>(&self.0, &self.1)?;
        Ok(())
    }
}

/// Two people who talk to each other.
async fn private(house: &House) -> Room {
    let pair = Pair::of(AccountId(new_uuid()), AccountId(new_uuid())).unwrap();
    let conversation = ConversationId::private(&pair);
    let members = pair.members();
    house.acts(None, Ask(conversation, ConversationCommand::OpenPrivate { members })).await;
    Room { conversation, senders: members.to_vec() }
}

/// A group of so many, of whom about 64 send.
async fn group(house: &House, members: usize) -> Room {
    let people: Vec<AccountId> = (0..members).map(|_| AccountId(new_uuid())).collect();
    let (conversation, owner) = (ConversationId(new_uuid()), people[0]);
    let name = GroupName::parse("ten thousand".into()).unwrap();
    let start = ConversationCommand::StartGroup { owner, name, members: vec![] };
    house.acts(None, Ask(conversation, start)).await;
    for some in people[1..].chunks(MEMBERS_PER_COMMAND_MAX) {
        let add = GroupCommand::AddMembers { by: owner, members: some.to_vec() };
        house.acts(None, Ask(conversation, ConversationCommand::Group(add))).await;
    }
    Room { conversation, senders: people.into_iter().step_by(members.div_ceil(64).max(1)).collect() }
}

/// Bytes on disk of all tables and indexes for one message of 100 bytes, and which of them grew.
async fn bytes_per_message(house: &House, running: &Running, room: &Room) -> String {
    let sizes = "SELECT format('%I.%I', schemaname, relname), pg_total_relation_size(relid)::bigint
                 FROM pg_stat_user_tables ORDER BY 1";
    let now = async || -> Vec<(String, i64)> {
        house.settled(&running.views).await;
        sqlx::raw_sql("CHECKPOINT").execute(&house.pool()).await.unwrap();
        sqlx::query_as(sizes).fetch_all(&house.pool()).await.unwrap()
    };
    let before = now().await;
    join_all((0..32).map(|caller| async move {
        for _ in 0..MESSAGES / 32 {
            house.says_in(room.conversation, room.senders[caller % room.senders.len()], TEXT).await;
        }
    }))
    .await;
    let messages = i64::try_from(MESSAGES / 32 * 32).unwrap();
    let grown =
        now().await.into_iter().zip(before).map(|((table, after), (_, before))| (table, after - before));
    let grown: Vec<_> = grown.filter(|(_, bytes)| *bytes > messages).collect();
    let total: i64 = grown.iter().map(|(_, bytes)| bytes / messages).sum();
    let each: Vec<_> = grown.iter().map(|(table, bytes)| format!("{table} {}", bytes / messages)).collect();
    format!("Bytes on disk per 100-byte message, over all tables and indexes: {total} ({})", each.join(", "))
}
