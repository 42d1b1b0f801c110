//! A private Redis through its life.

use std::path::Path;
use std::time::Duration;

use testkit::poll;
use testkit::redis::Redis;

#[test]
fn it_is_flushed_killed_and_started_again() {
    let mut redis = Redis::start().unwrap();
    let port = redis.port;
    assert_eq!(redis.command(&["SET", "k", "v"]).unwrap(), "+OK\r\n");
    assert_eq!(redis.command(&["GET", "k"]).unwrap(), "v\r\n");
    redis.flush().unwrap();
    assert_eq!(redis.command(&["GET", "k"]).unwrap(), "$-1\r\n");
    redis.kill();
    assert!(redis.command(&["PING"]).is_err());
    redis.restart().unwrap();
    assert_eq!((redis.port, redis.command(&["PING"]).unwrap()), (port, "+PONG\r\n".to_owned()));
}

#[test]
fn it_asks_for_its_password() {
    let redis = Redis::start_with_password("s3cret").unwrap();
    assert_eq!(redis.command(&["PING"]).unwrap(), "+PONG\r\n");
    assert_eq!(redis.url(), format!("redis://:s3cret@127.0.0.1:{}/", redis.port));
}

#[test]
fn dropping_it_leaves_no_process() {
    let redis = Redis::start().unwrap();
    let reply = redis.command(&["INFO", "server"]).unwrap();
    let pid = reply.lines().find_map(|line| line.strip_prefix("process_id:")).unwrap().to_owned();
    let entry = format!("/proc/{pid}");
    assert!(Path::new(&entry).exists());
    drop(redis);
    assert!(poll(Duration::from_secs(5), || (!Path::new(&entry).exists()).then_some(())).is_some());
}
