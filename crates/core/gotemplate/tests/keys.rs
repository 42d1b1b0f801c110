//! Keys that templates make: what they are, and what becomes of randomness that is none.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use gotemplate::{Functions, Limits, MissingKey, Outside, Templates, Value};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

/// What is drawn: another number each time, or always the same.
struct World {
    state: u64,
    step: u64,
}

impl Outside for World {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        for byte in buffer {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(self.step);
            *byte = self.state.to_be_bytes()[0];
        }
        Ok(())
    }
}

fn executed(text: &str, world: &mut World) -> Result<String, String> {
    let mut templates = Templates::new(Functions::helm());
    templates.parse("t", text).unwrap();
    let made = templates.execute("t", &Value::Nil, world, MissingKey::Zero, Limits::default());
    made.map_err(|error| error.to_string())
}

#[test]
fn rsa_keys_have_two_primes_of_half_the_size() {
    let mut world = World { state: 1, step: 1_442_695_040_888_963_407 };
    let first = executed("{{ genPrivateKey \"rsa\" }}", &mut world).unwrap();
    let key = rsa::RsaPrivateKey::from_pkcs1_pem(&first).unwrap();
    key.validate().unwrap();
    assert_eq!((key.n().bits(), key.e().to_string().as_str()), (4096, "65537"));
    assert_eq!(key.primes().iter().map(rsa::BigUint::bits).collect::<Vec<_>>(), [2048, 2048]);
    let made = executed("{{ (genCA \"ca\" 1).Key }}", &mut world).unwrap();
    let key = rsa::RsaPrivateKey::from_pkcs1_pem(&made).unwrap();
    key.validate().unwrap();
    assert_eq!(key.n().bits(), 2048);
    assert_ne!(executed("{{ (genCA \"ca\" 1).Key }}", &mut world).unwrap(), made);
}

#[test]
fn randomness_that_is_always_the_same_makes_no_key() {
    let told = executed("{{ (genCA \"ca\" 1).Key }}", &mut World { state: 0, step: 0 }).unwrap_err();
    assert!(told.ends_with("error generating rsa key: what is said to be random is not"), "{told}");
}
