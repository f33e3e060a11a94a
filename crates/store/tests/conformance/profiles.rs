//! Profiles, and what hangs on them.

use fulcrum_store::{Asked, ProfileFilter, StoredFront, StoredProfile, WorkloadVersion};

use crate::samples::{TRAIN, open, profile};

on_both!(
    profiles_are_kept_replaced_and_found,
    a_hundred_thousand_profiles_are_kept_in_time,
    all_profiles_of_a_call_are_kept_or_none,
    a_suspect_profile_takes_the_fronts_built_of_it_along,
);

async fn profiles_are_kept_replaced_and_found(address: &str) {
    let store = open(address).await;
    let failed = StoredProfile {
        minibatch_seconds: None,
        power_watts: None,
        failure: Some("the workload ran out of memory".into()),
        ..profile(3, 16)
    };
    let other = StoredProfile { workload: "lstm".into(), kind: "infer".into(), ..profile(1, 4) };
    let all = [profile(1, 16), profile(2, 16), failed.clone(), other.clone()];
    store.add_profiles(&all).await.unwrap();
    assert_eq!(store.all_profiles(&ProfileFilter::default()).await.unwrap(), all);
    let lstm = ProfileFilter { workload: Some("lstm".into()), ..Default::default() };
    assert_eq!(store.all_profiles(&lstm).await.unwrap(), [other]);

    let suspected = store
        .suspect_profiles("p3701-0005", TRAIN, "cpu_cores=4 gpu_khz=2", Asked::default())
        .await;
    assert_eq!(suspected.unwrap(), 1);
    let train = ProfileFilter { kind: Some("train".into()), ..Default::default() };
    assert!(store.all_profiles(&train).await.unwrap()[1].suspect);
    let again = StoredProfile { power_watts: Some(30.0), ..profile(2, 16) };
    store.add_profiles(&[profile(2, 16), again.clone()]).await.unwrap();
    let found = store.all_profiles(&train).await.unwrap();
    assert_eq!(found, [profile(1, 16), again, failed], "the later one, in the earlier's place");

    let (page, next) = store.profiles(&train, 0, 2).await.unwrap();
    let (rest, end) = store.profiles(&train, next.unwrap(), 2).await.unwrap();
    assert_eq!((page.len(), rest.len(), end), (2, 1, None));
}

async fn a_hundred_thousand_profiles_are_kept_in_time(address: &str) {
    let store = open(address).await;
    let profiles: Vec<_> = (0..100_000).map(|mode| profile(mode, 16)).collect();
    let began = std::time::Instant::now();
    for chunk in profiles.chunks(20_000) {
        store.add_profiles(chunk).await.unwrap();
    }
    let a_second = 100_000.0 / began.elapsed().as_secs_f64();
    assert!(a_second > 2_000.0, "{a_second:.0} a second, ten times fewer than there should be");
    assert_eq!(store.all_profiles(&ProfileFilter::default()).await.unwrap().len(), 100_000);
}

async fn all_profiles_of_a_call_are_kept_or_none(address: &str) {
    let store = open(address).await;
    let many = (0..5_000).map(|mode| profile(mode, 16));
    // Postgres refuses the name, SQLite the number.
    let bad = StoredProfile { relative_error: f64::NAN, ..profile(9_999, 16) };
    let bad = StoredProfile { workload: "bad\0".into(), ..bad };
    let refused = store.add_profiles(&many.chain([bad]).collect::<Vec<_>>()).await;
    let kept = store.all_profiles(&ProfileFilter::default()).await.unwrap().len();
    assert!(refused.is_err() && kept == 0, "{refused:?}, {kept} kept");
    store.add_profiles(&[]).await.unwrap();
}

async fn a_suspect_profile_takes_the_fronts_built_of_it_along(address: &str) {
    let store = open(address).await;
    let front = |background: &str, urgent: &str| StoredFront {
        board_model: "p3701-0005".into(),
        software: "L4T 36.4.3".into(),
        background: background.into(),
        urgent: urgent.into(),
        strategy: "als".into(),
        measurements: 50,
        built_at_ms: 1,
    };
    for (background, urgent) in [("resnet18 train", "lstm"), ("resnet18 train", ""), ("", "lstm")] {
        store.put_front(&front(background, urgent), &[]).await.unwrap();
    }
    let on = ("p3701-0005", "L4T 36.4.3");
    let revision =
        async || store.profiles_revision(on, [Some(("resnet18", "train")), None]).await.unwrap();
    let of_others =
        async || store.profiles_revision(on, [None, Some(("lstm", "infer"))]).await.unwrap();
    let (before, others) = (revision().await, of_others().await);
    store.add_profiles(&[profile(1, 16)]).await.unwrap();
    assert!(revision().await > before, "whoever has read reads anew");
    let suspect = async |mode: &str| {
        store.suspect_profiles("p3701-0005", TRAIN, mode, Asked::default()).await.unwrap()
    };
    assert_eq!(suspect("cpu_cores=4 gpu_khz=9").await, 0);
    assert_eq!(store.fronts().await.unwrap().len(), 3, "nothing is suspected");
    let before = revision().await;
    assert_eq!(suspect("cpu_cores=4 gpu_khz=1").await, 1);
    assert!(revision().await > before);
    assert_eq!(of_others().await, others, "those of others are as they were");
    assert_eq!(store.fronts().await.unwrap(), [front("", "lstm")]);
    store.add_profiles(&[profile(1, 16), profile(2, 16), profile(3, 16)]).await.unwrap();
    assert_eq!(suspect("").await, 3, "all of the workload");

    // Another version of it is another workload.
    let other = StoredProfile { fingerprint: "2b7e".into(), ..profile(1, 16) };
    let version = WorkloadVersion { fingerprint: "2b7e", ..TRAIN };
    store.add_profiles(&[other]).await.unwrap();
    store.put_front(&front(&version.in_background(), "lstm"), &[version]).await.unwrap();
    assert_eq!(suspect("").await, 3);
    assert_eq!(store.fronts().await.unwrap().len(), 2);
    let suspected = store.suspect_profiles("p3701-0005", version, "", Asked::default());
    assert_eq!(suspected.await.unwrap(), 1);
    assert_eq!(store.fronts().await.unwrap(), [front("", "lstm")]);
}
