//! The fields of a certificate (RFC 5280) that decide beside its name.

use std::time::Duration;

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef, UtcTime};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::UnixTime;

const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const OF_SERVERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// Parts of a certificate, as they are encoded where nothing else is said.
pub(super) struct Certificate<'a> {
    signed: &'a [u8],
    /// Content of the algorithm's sequence.
    algorithm: &'a [u8],
    signature: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    valid: (Duration, Duration),
    key_algorithm: &'a [u8],
    key: &'a [u8],
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
        self.usages.as_ref().is_none_or(|usages| usages.iter().any(is_one))
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
    // The version; there is none in the oldest certificates.
    if fields.peek_tag()?.is_context_specific() {
        fields.tlv_bytes()?;
    }
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
        algorithm: algorithm.value(),
        signature: signature.raw_bytes(),
        issuer,
        subject,
        valid,
        key_algorithm: key_algorithm.value(),
        key: key.raw_bytes(),
        usages: usages(&mut fields)?,
    })
}

fn sequence(any: AnyRef<'_>) -> der::Result<SliceReader<'_>> {
    any.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(any.value())
}

fn moment(reader: &mut SliceReader<'_>) -> der::Result<Duration> {
    if reader.peek_tag()? == Tag::UtcTime {
        return Ok(UtcTime::decode(reader)?.to_unix_duration());
    }
    Ok(der::asn1::GeneralizedTime::decode(reader)?.to_unix_duration())
}

/// The extended key usages among the extensions, if there are any.
fn usages(fields: &mut SliceReader<'_>) -> der::Result<Option<Vec<ObjectIdentifier>>> {
    while !fields.is_finished() {
        let field = AnyRef::decode(fields)?;
        if field.tag() != (Tag::ContextSpecific { constructed: true, number: TagNumber::N3 }) {
            continue;
        }
        let mut extensions = sequence(AnyRef::from_der(field.value())?)?;
        while !extensions.is_finished() {
            let mut extension = sequence(AnyRef::decode(&mut extensions)?)?;
            if ObjectIdentifier::decode(&mut extension)? == EXTENDED_KEY_USAGE {
                return of_extension(&mut extension).map(Some);
            }
        }
    }
    Ok(None)
}

fn of_extension(extension: &mut SliceReader<'_>) -> der::Result<Vec<ObjectIdentifier>> {
    if extension.peek_tag()? == Tag::Boolean {
        extension.tlv_bytes()?;
    }
    let value = OctetStringRef::decode(extension)?;
    let mut list = sequence(AnyRef::from_der(value.as_bytes())?)?;
    let mut usages = Vec::new();
    while !list.is_finished() {
        usages.push(ObjectIdentifier::decode(&mut list)?);
    }
    Ok(usages)
}
