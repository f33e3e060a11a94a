//! The lease: who may change the board, and until when. One holder at a time.

use std::time::Duration;

use fulcrum_board::Moment;

/// The right to change the board, until it ends or is renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What the holder shows to use it. Secret.
    pub token: String,
    /// Who holds it, for people.
    pub holder: String,
    /// How long it lasts from when it is taken or renewed.
    pub duration: Duration,
    /// When it ends unless it is renewed.
    pub expires: Moment,
}

/// Somebody else holds the lease.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the board is held by `{holder}`; ask them to release it, or wait until their lease ends")]
pub struct Held {
    /// Who holds it.
    pub holder: String,
}

/// The lease that was shown is not the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this lease has ended or was never taken; take it again")]
pub struct NotHeld;

/// Keeps the one lease that there may be.
#[derive(Debug, Default)]
pub struct LeaseBook {
    current: Option<(Lease, String)>,
}

impl LeaseBook {
    /// Takes the lease, with a fresh secret `token`. The same holder asking again with the same
    /// request id (unless it is empty) gets the lease that it has, renewed.
    ///
    /// # Errors
    /// When somebody holds it.
    pub fn take(
        &mut self,
        holder: &str,
        duration: Duration,
        request_id: &str,
        token: String,
        now: Moment,
    ) -> Result<Lease, Held> {
        if let Some((lease, id)) = self.current.as_mut().filter(|(lease, _)| now < lease.expires) {
            if !request_id.is_empty() && id == request_id && lease.holder == holder {
                lease.expires = now + lease.duration;
                return Ok(lease.clone());
            }
            return Err(Held { holder: lease.holder.clone() });
        }
        let lease = Lease { token, holder: holder.to_owned(), duration, expires: now + duration };
        self.current = Some((lease.clone(), request_id.to_owned()));
        Ok(lease)
    }

    /// Puts off the end of the lease by its duration from now.
    ///
    /// # Errors
    /// When it is not the present one.
    pub fn renew(&mut self, token: &str, now: Moment) -> Result<Lease, NotHeld> {
        self.holds(token, now)?;
        let (lease, _) = self.current.as_mut().ok_or(NotHeld)?;
        lease.expires = now + lease.duration;
        Ok(lease.clone())
    }

    /// Ends the lease; says whether it was the present one.
    pub fn release(&mut self, token: &str) -> bool {
        let own = self.current.as_ref().is_some_and(|(lease, _)| same(&lease.token, token));
        if own {
            self.current = None;
        }
        own
    }

    /// The lease of a token.
    ///
    /// # Errors
    /// When it is not the present one, or is over.
    pub fn holds(&self, token: &str, now: Moment) -> Result<&Lease, NotHeld> {
        let (lease, _) = self.current.as_ref().ok_or(NotHeld)?;
        if now < lease.expires && same(&lease.token, token) { Ok(lease) } else { Err(NotHeld) }
    }

    /// Takes out a lease whose time is over.
    pub fn expired(&mut self, now: Moment) -> Option<Lease> {
        let (lease, _) = self.current.take_if(|(lease, _)| lease.expires <= now)?;
        Some(lease)
    }

    /// The lease that there is.
    pub fn current(&self) -> Option<&Lease> {
        self.current.as_ref().map(|(lease, _)| lease)
    }
}

/// Compares secrets in a time that does not tell how much of them is equal.
fn same(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    a.len() == b.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Moment {
        Moment::START + SECOND * u32::try_from(seconds).unwrap()
    }

    #[test]
    fn who_asks_again_with_the_same_id_gets_the_same_lease() {
        let mut book = LeaseBook::default();
        let lease = book.take("a", SECOND, "id", "1".into(), at(0)).unwrap();
        let later = at(0) + SECOND / 2;
        let again = book.take("a", SECOND, "id", "2".into(), later).unwrap();
        assert_eq!(again.token, lease.token);
        assert_eq!(again.expires, later + SECOND, "whoever takes it over has it for as long");
        assert_eq!(book.take("a", SECOND, "", "3".into(), at(0)).unwrap_err().holder, "a");
        assert!(book.take("b", SECOND, "id", "4".into(), at(0)).is_err());
    }

    #[test]
    fn a_lease_that_is_over_is_of_no_use() {
        let mut book = LeaseBook::default();
        book.take("a", SECOND, "", "1".into(), at(0)).unwrap();
        assert!(book.holds("1", at(0)).is_ok());
        assert_eq!(book.renew("1", at(1)), Err(NotHeld));
        assert_eq!(book.expired(at(1)).unwrap().holder, "a");
        assert_eq!(book.expired(at(1)), None);
        assert!(!book.release("1"));
    }

    proptest! {
        #[test]
        fn there_are_never_two_holders(steps in prop::collection::vec((0..4u8, 0..3usize, 0..3u64), 1..60)) {
            let mut book = LeaseBook::default();
            let mut now = 0;
            let mut tokens: Vec<String> = vec![String::new(); 3];
            for (count, (what, who, later)) in steps.into_iter().enumerate() {
                now += later;
                let time = at(now);
                match what {
                    0 => {
                        let held = tokens.iter().any(|token| book.holds(token, time).is_ok());
                        let token = format!("token {count}");
                        let taken = book.take(&who.to_string(), 2 * SECOND, "", token, time);
                        prop_assert_eq!(taken.is_err(), held);
                        if let Ok(lease) = taken {
                            tokens[who] = lease.token;
                        }
                    }
                    1 => {
                        let held = book.holds(&tokens[who], time).is_ok();
                        prop_assert_eq!(book.renew(&tokens[who], time).is_ok(), held);
                    }
                    2 => {
                        book.release(&tokens[who]);
                        prop_assert!(book.holds(&tokens[who], time).is_err());
                    }
                    _ => {
                        book.expired(time);
                    }
                }
                let holders = tokens.iter().filter(|token| book.holds(token, time).is_ok()).count();
                prop_assert!(holders <= 1);
            }
        }
    }
}
