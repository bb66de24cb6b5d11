//! The fields of a certificate (RFC 5280) that decide beside its name.

use std::time::Duration;

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef, UtcTime};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::UnixTime;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const OF_SERVERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// Bit 5 of a keyUsage, counted from the highest of its first byte: keyCertSign.
const MAY_SIGN_CERTIFICATES: u8 = 0x80 >> 5;

/// The number that means version 3.
const VERSION_3: &[u8] = &[2];

/// Parts of a certificate, as they are encoded where nothing else is said.
pub(super) struct Certificate<'a> {
    signed: &'a [u8],
    /// Only version 3 has extensions.
    is_version_3: bool,
    /// Content of the algorithm's sequence.
    algorithm: &'a [u8],
    signature: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    valid: (Duration, Duration),
    key_algorithm: &'a [u8],
    key: &'a [u8],
    extensions: Extensions,
}

/// Contents of the extensions. Each of them may be missing.
#[derive(Default)]
struct Extensions {
    /// True if it is an authority's.
    is_authority: Option<bool>,
    /// True if its key is for signing certificates.
    is_key_for_signing: Option<bool>,
    /// There are names that it may not vouch for.
    limits_names: bool,
    usages: Option<Vec<ObjectIdentifier>>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate; `None` if it is none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        read(bytes).ok()
    }

    /// Returns whether a moment is within its validity.
    pub(super) fn is_valid_at(&self, now: UnixTime) -> bool {
        let now = Duration::from_secs(now.as_secs());
        self.valid.0 <= now && now <= self.valid.1
    }

    /// Returns whether a server may show it.
    pub(super) fn is_for_servers(&self) -> bool {
        let is_one = |usage: &ObjectIdentifier| *usage == OF_SERVERS || *usage == ANY_USAGE;
        self.extensions.usages.as_ref().is_none_or(|usages| usages.iter().any(is_one))
    }

    /// Returns whether it may sign others, as `CheckSignatureFrom` of Go decides it.
    pub(super) fn may_sign(&self) -> bool {
        self.extensions.is_authority.unwrap_or(!self.is_version_3)
            && self.extensions.is_key_for_signing.unwrap_or(true)
    }

    /// Returns whether it may vouch for some names only.
    pub(super) fn limits_names(&self) -> bool {
        self.extensions.limits_names
    }

    /// Returns whether another certificate has signed this one.
    pub(super) fn is_signed_by(&self, issuer: &Self, known: &WebPkiSupportedAlgorithms) -> bool {
        self.issuer == issuer.subject
            && known.all.iter().any(|algorithm| {
                algorithm.signature_alg_id().as_ref() == self.algorithm
                    && algorithm.public_key_alg_id().as_ref() == issuer.key_algorithm
                    && algorithm.verify_signature(issuer.key, self.signed, self.signature).is_ok()
            })
    }
}

fn read(bytes: &[u8]) -> der::Result<Certificate<'_>> {
    let outer = AnyRef::from_der(bytes)?;
    let mut reader = sequence(outer)?;
    let signed = reader.tlv_bytes()?;
    let algorithm = AnyRef::decode(&mut reader)?;
    let signature = BitStringRef::decode(&mut reader)?;
    let mut fields = sequence(AnyRef::from_der(signed)?)?;
    let is_version_3 = is_version_3(&mut fields)?;
    let _serial = fields.tlv_bytes()?;
    let _algorithm = fields.tlv_bytes()?;
    let issuer = fields.tlv_bytes()?;
    let mut validity = sequence(AnyRef::decode(&mut fields)?)?;
    let valid = (moment(&mut validity)?, moment(&mut validity)?);
    let subject = fields.tlv_bytes()?;
    let mut key = sequence(AnyRef::decode(&mut fields)?)?;
    let key_algorithm = AnyRef::decode(&mut key)?;
    let key = BitStringRef::decode(&mut key)?;
    Ok(Certificate {
        signed,
        is_version_3,
        algorithm: algorithm.value(),
        signature: signature.raw_bytes(),
        issuer,
        subject,
        valid,
        key_algorithm: key_algorithm.value(),
        key: key.raw_bytes(),
        extensions: extensions(&mut fields)?,
    })
}

fn sequence(any: AnyRef<'_>) -> der::Result<SliceReader<'_>> {
    any.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(any.value())
}

/// Reads the version. There is none in the oldest certificates.
fn is_version_3(fields: &mut SliceReader<'_>) -> der::Result<bool> {
    if !fields.peek_tag()?.is_context_specific() {
        return Ok(false);
    }
    let version = AnyRef::decode(fields)?;
    Ok(AnyRef::from_der(version.value())?.value() == VERSION_3)
}

fn moment(reader: &mut SliceReader<'_>) -> der::Result<Duration> {
    if reader.peek_tag()? == Tag::UtcTime {
        return Ok(UtcTime::decode(reader)?.to_unix_duration());
    }
    Ok(der::asn1::GeneralizedTime::decode(reader)?.to_unix_duration())
}

fn extensions(fields: &mut SliceReader<'_>) -> der::Result<Extensions> {
    let mut found = Extensions::default();
    while !fields.is_finished() {
        let field = AnyRef::decode(fields)?;
        if field.tag() != (Tag::ContextSpecific { constructed: true, number: TagNumber::N3 }) {
            continue;
        }
        let mut extensions = sequence(AnyRef::from_der(field.value())?)?;
        while !extensions.is_finished() {
            found.add(&mut sequence(AnyRef::decode(&mut extensions)?)?)?;
        }
    }
    Ok(found)
}

impl Extensions {
    /// Adds what one extension says. As in Go, none may be there twice.
    fn add(&mut self, extension: &mut SliceReader<'_>) -> der::Result<()> {
        // Names of other extensions may be longer than an `ObjectIdentifier` takes.
        let name = AnyRef::decode(extension)?;
        if extension.peek_tag()? == Tag::Boolean {
            extension.tlv_bytes()?;
        }
        let value = OctetStringRef::decode(extension)?.as_bytes();
        let is = |known: &ObjectIdentifier| name.value() == known.as_bytes();
        let is_twice = if is(&BASIC_CONSTRAINTS) {
            self.is_authority.replace(is_authority(value)?).is_some()
        } else if is(&KEY_USAGE) {
            self.is_key_for_signing.replace(is_key_for_signing(value)?).is_some()
        } else if is(&EXTENDED_KEY_USAGE) {
            self.usages.replace(usages(value)?).is_some()
        } else if is(&NAME_CONSTRAINTS) {
            std::mem::replace(&mut self.limits_names, true)
        } else {
            false
        };
        if is_twice { Err(name.tag().value_error()) } else { Ok(()) }
    }
}

fn is_authority(value: &[u8]) -> der::Result<bool> {
    let mut constraints = sequence(AnyRef::from_der(value)?)?;
    if constraints.is_finished() || constraints.peek_tag()? != Tag::Boolean {
        return Ok(false);
    }
    bool::decode(&mut constraints)
}

/// A usage without any bit limits nothing, as in Go.
fn is_key_for_signing(value: &[u8]) -> der::Result<bool> {
    let bits = BitStringRef::from_der(value)?.raw_bytes();
    let first = bits.first().copied().unwrap_or_default();
    Ok(first & MAY_SIGN_CERTIFICATES != 0 || bits.iter().all(|byte| *byte == 0))
}

fn usages(value: &[u8]) -> der::Result<Vec<ObjectIdentifier>> {
    let mut list = sequence(AnyRef::from_der(value)?)?;
    let mut usages = Vec::new();
    while !list.is_finished() {
        usages.push(ObjectIdentifier::decode(&mut list)?);
    }
    Ok(usages)
}
