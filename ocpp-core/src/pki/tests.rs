//! Chains made for the purpose, and what OpenSSL made of the same.

use core::slice::from_ref;

use jiff::{Span, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};

use super::*;

const ROOT: &str = include_str!("vectors/root.pem");
const WEAK: &str = include_str!("vectors/weak.pem");
const FIRMWARE_RSA: &str = include_str!("vectors/firmware-rsa.pem");
const IMAGE: &[u8] = b"firmware image 1.2.3\n";

/// An authority of a test.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

fn day(offset: i64) -> Timestamp {
    "2026-11-20T12:00:00Z".parse::<Timestamp>().unwrap() + Span::new().hours(24 * offset)
}

fn name(parameters: &mut CertificateParams, common_name: &str) {
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::OrganizationName, "Example CPO");
    parameters.distinguished_name.push(DnType::CommonName, common_name);
}

fn valid(parameters: &mut CertificateParams, from: i64, until: i64) {
    let time = |at: i64| (std::time::UNIX_EPOCH + std::time::Duration::from_secs(day(at).as_second() as u64)).into();
    parameters.not_before = time(from);
    parameters.not_after = time(until);
}

fn authority(common_name: &str, signer: Option<&Authority>) -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::default();
    name(&mut parameters, common_name);
    valid(&mut parameters, -100, 100);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = match signer {
        Some(signer) => parameters.signed_by(&key, &signer.issuer),
        None => parameters.self_signed(&key),
    };
    Authority {
        certificate: Certificate::from_der(certificate.unwrap().der()).unwrap(),
        issuer: Issuer::new(parameters, key),
    }
}

impl Authority {
    fn sign(&self, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        name(&mut parameters, "CP-4711");
        valid(&mut parameters, -10, 10);
        parameters.serial_number = Some(SerialNumber::from(vec![0x0F, 0xFF]));
        change(&mut parameters);
        Certificate::from_der(parameters.signed_by(&key, &self.issuer).unwrap().der()).unwrap()
    }
}

fn verify(chain: &[&Certificate], roots: &[&Authority], at: i64) -> Result<(), ChainError> {
    let chain: Vec<_> = chain.iter().copied().cloned().collect();
    let roots: Vec<_> = roots.iter().map(|root| root.certificate.clone()).collect();
    verify_chain(&chain, &roots, day(at), Purpose::Station, &[])
}

#[test]
fn a_chain_is_trusted_while_all_of_it_is_valid_and_not_a_day_longer() {
    let root = authority("Root", None);
    let middle = authority("Middle", Some(&root));
    let leaf = middle.sign(|_| {});
    let chain = [&leaf, &middle.certificate];
    assert_eq!(verify(&chain, &[&root], 0), Ok(()));
    // 1.6 security, A00.FR.307 and A00.FR.411: the path is validated.
    assert_eq!(verify(&chain, &[&root], 11), Err(ChainError::Expired));
    assert_eq!(verify(&chain, &[&root], -11), Err(ChainError::NotYetValid));
    assert_eq!(verify(&[&leaf], &[&root], 0), Err(ChainError::UnknownIssuer), "the link is missing");
    assert_eq!(verify(&[], &[&root], 0), Err(ChainError::Empty));
    let forever = root.sign(|parameters| valid(parameters, -10, 1_000));
    assert_eq!(verify(&[&forever], &[&root], 99), Ok(()));
    assert_eq!(verify(&[&forever], &[&root], 101), Err(ChainError::UnknownIssuer));
}

#[test]
fn a_root_of_the_same_name_is_another_root() {
    let (root, other) = (authority("Root", None), authority("Root", None));
    let leaf = root.sign(|_| {});
    assert_eq!(verify(&[&leaf], &[&other], 0), Err(ChainError::BadSignature));
    assert_eq!(verify(&[&leaf], &[&authority("Another", None)], 0), Err(ChainError::UnknownIssuer));
    assert_eq!(verify(&[&leaf], &[&other, &root], 0), Ok(()));
    assert!(leaf.is_signed_by(&root.certificate));
    assert!(!leaf.is_signed_by(&other.certificate));
    assert!(root.certificate.is_signed_by(&root.certificate));
}

#[test]
fn a_certificate_of_no_authority_signs_nothing() {
    let root = authority("Root", None);
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::default();
    name(&mut parameters, "CP-4711");
    valid(&mut parameters, -10, 10);
    let leaf = Certificate::from_der(parameters.signed_by(&key, &root.issuer).unwrap().der()).unwrap();
    let false_authority = Authority { certificate: leaf.clone(), issuer: Issuer::new(parameters, key) };
    let forged = false_authority.sign(|parameters| name(parameters, "CP-4712"));
    assert!(verify(&[&forged, &leaf], &[&root], 0).is_err());
}

#[test]
fn a_certificate_for_another_purpose_is_refused() {
    let root = authority("Root", None);
    let leaf = root.sign(|parameters| parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    let judge = |purpose| verify_chain(from_ref(&leaf), from_ref(&root.certificate), day(0), purpose, &[]);
    assert_eq!(judge(Purpose::Csms), Ok(()));
    // A00.FR.512
    assert_eq!(judge(Purpose::Station), Err(ChainError::WrongPurpose));
    assert_eq!(judge(Purpose::FirmwareSigning), Err(ChainError::WrongPurpose));
}

#[test]
fn a_revoked_certificate_is_refused() {
    let root = authority("Root", None);
    let leaf = root.sign(|_| {});
    let list = |serial: u8| {
        let time =
            |at: i64| (std::time::UNIX_EPOCH + std::time::Duration::from_secs(day(at).as_second() as u64)).into();
        let parameters = CertificateRevocationListParams {
            this_update: time(-1),
            next_update: time(1),
            crl_number: SerialNumber::from(vec![1]),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(vec![0x0F, serial]),
                revocation_time: time(-1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        RevocationList::parse(parameters.signed_by(&root.issuer).unwrap().pem().unwrap().as_bytes()).unwrap()
    };
    let judge = |list: RevocationList| {
        verify_chain(from_ref(&leaf), from_ref(&root.certificate), day(0), Purpose::Station, &[list])
    };
    assert_eq!(judge(list(0xFF)), Err(ChainError::Revoked));
    assert_eq!(judge(list(0xFE)), Ok(()));
    assert!(RevocationList::parse(b"no list").is_err());
}

// 1.6 security, A00.FR.507
#[test]
fn a_weak_key_is_refused_before_anything_else() {
    let (root, weak) = (Certificate::from_pem(ROOT).unwrap(), Certificate::from_pem(WEAK).unwrap());
    assert_eq!(weak.key_strength(), KeyStrength::Rsa(1_024));
    let judged = verify_chain(from_ref(&weak), from_ref(&root), day(0), Purpose::Station, &[]);
    assert_eq!(judged, Err(ChainError::WeakKey));
    assert_eq!(check_station_certificate(&weak, None), Err(SubjectError::WeakKey));
    // 1.6 security, A00.FR.501, A00.FR.502, A00.FR.503
    for (key, is_sufficient) in [
        (KeyStrength::Rsa(2_047), false),
        (KeyStrength::Rsa(2_048), true),
        (KeyStrength::EllipticCurve(192), false),
        (KeyStrength::EllipticCurve(224), true),
        (KeyStrength::Other, false),
    ] {
        assert_eq!(key.is_sufficient(), is_sufficient, "{key:?}");
    }
}

/// `openssl ocsp -issuer root.pem -cert firmware-rsa.pem -sha256 -text -reqout …`, and again for the root itself.
#[test]
fn hash_data_is_what_openssl_computes() {
    let (root, leaf) = (Certificate::from_pem(ROOT).unwrap(), Certificate::from_pem(FIRMWARE_RSA).unwrap());
    let data = CertificateHashData::of(&leaf, &root, HashAlgorithm::Sha256);
    let expected = |serial| {
        CertificateHashData::new(
            HashAlgorithm::Sha256,
            "4AD6E175017EDF888D4E5ADBC51EC1D0FF8B3F3F2FF4ADCCA13B63E7E442839D",
            "5BFCA6F14DAEC3D4DDD8703EFE2EF7F3B5BE75281EB957A1E87ECD608D082F49",
            serial,
        )
    };
    assert_eq!(data, expected("0A0B0C"));
    // 1.6 security, 6.1: 4095 is FFF.
    let data = CertificateHashData::of(&root, &root, HashAlgorithm::Sha256);
    assert_eq!(data, expected("FFF"));
    assert_eq!(data.serial_number, "FFF");
    let data = CertificateHashData::of(&leaf, &root, HashAlgorithm::Sha512);
    assert!(
        data.issuer_name_hash.starts_with("36b35d7dec8781a99dd3ec6c172e0787c2d673e8da1235294e4c244f4490d36c7fcdb5")
    );
    assert!(data.issuer_key_hash.starts_with("8cd824302026b49d4b9dbc42bd9b6272863c9fff13d4db6467ec10425ecda1e134c250"));
    let data = CertificateHashData::of(&leaf, &root, HashAlgorithm::Sha384);
    assert!(
        data.issuer_name_hash.starts_with("62c49ff676e312d906ff44ba142585b3633e1e2fa1ca0ad380d2f62769469c8958adcb")
    );
    assert_ne!(data, CertificateHashData::of(&leaf, &root, HashAlgorithm::Sha256));
}

/// `openssl dgst -sha256 -sign …`, for RSA with `-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest`.
#[test]
fn a_signature_holds_for_its_content_and_its_key_only() {
    // 1.6 security, L01.FR.11, L01.FR.12
    let rsa = (FIRMWARE_RSA, include_str!("vectors/firmware-rsa.signature"));
    let p256 = (include_str!("vectors/firmware-p256.pem"), include_str!("vectors/firmware-p256.signature"));
    let p384 = (include_str!("vectors/firmware-p384.pem"), include_str!("vectors/firmware-p384.signature"));
    for (signer, signature) in [rsa, p256, p384] {
        let signer = Certificate::from_pem(signer).unwrap();
        assert_eq!(verify_signature(&signer, IMAGE, signature), Ok(()));
        assert_eq!(verify_signature(&signer, b"another image", signature), Err(SignatureError::Mismatch));
        assert_eq!(verify_signature(&signer, IMAGE, "?"), Err(SignatureError::NotBase64));
    }
    let signer = Certificate::from_pem(rsa.0).unwrap();
    assert_eq!(verify_signature(&signer, IMAGE, p256.1), Err(SignatureError::Mismatch));
    let old_padding = include_str!("vectors/firmware-pkcs1.signature");
    assert_eq!(verify_signature(&signer, IMAGE, old_padding), Err(SignatureError::Mismatch));
    let p521 = Certificate::from_pem(include_str!("vectors/firmware-p521.pem")).unwrap();
    assert_eq!(verify_signature(&p521, IMAGE, p256.1), Err(SignatureError::UnsupportedKey));
    let root = Certificate::from_pem(ROOT).unwrap();
    assert_eq!(verify_chain(&[signer], &[root], day(1), Purpose::FirmwareSigning, &[]), Ok(()));
}

#[test]
fn a_certificate_says_who_it_is_for_and_comes_back_as_it_was() {
    let root = Certificate::from_pem(ROOT).unwrap();
    assert_eq!(root.common_name(), Some("Example Root"));
    assert_eq!(root.organization(), Some("Example CPO"));
    assert!(root.is_ca() && root.is_self_issued());
    assert_eq!(root.key_strength(), KeyStrength::Rsa(2_048));
    assert_eq!(Certificate::from_pem(&root.to_pem()), Ok(root.clone()));
    assert_eq!(root.to_pem(), ROOT);
    let text = format!("{ROOT}{WEAK}");
    let chain = Certificate::chain_from_pem(&text).unwrap();
    assert_eq!(chain.iter().map(Certificate::serial_number).collect::<Vec<_>>(), ["FFF", "7"]);
    assert_eq!(Certificate::from_pem("nothing"), Err(CertificateError::NotPem));
    assert!(Certificate::from_der(&root.der()[1..]).is_err());
    let followed = [root.der(), &[0]].concat();
    assert!(Certificate::from_der(&followed).is_err());
}

#[test]
fn the_certificate_of_a_station_names_its_owner_and_no_address() {
    let root = authority("Root", None);
    let named = |common_name: &str| root.sign(|parameters| name(parameters, common_name));
    let check = |certificate: &Certificate, owner| check_station_certificate(certificate, owner);
    assert_eq!(check(&named("CP-4711"), Some("Example CPO")), Ok(()));
    // 1.6 security, A00.FR.509, A00.FR.511
    assert_eq!(check(&named("CP-4711"), Some("Another")), Err(SubjectError::Organization));
    assert_eq!(check(&named("wss://csms.example"), None), Err(SubjectError::Address));
    assert_eq!(check(&named("192.0.2.7"), None), Err(SubjectError::Address));
    assert_eq!(check(&named("2001:db8::1"), None), Err(SubjectError::Address));
    assert_eq!(check(&root.certificate, None), Err(SubjectError::Authority));
    let nameless = root.sign(|parameters| parameters.distinguished_name = rcgen::DistinguishedName::new());
    assert_eq!(check(&nameless, None), Err(SubjectError::Organization));
}

#[test]
fn a_signing_request_carries_the_subject_and_the_key_and_nothing_secret() {
    // 1.6 security, A02.FR.02, A02.FR.03, A02.FR.13
    let key = PrivateKey::generate().unwrap();
    let request = key.signing_request(&Subject::new("CP-4711", "Example CPO").country("NL")).unwrap();
    let parsed = rcgen::CertificateSigningRequestParams::from_pem(&request).unwrap();
    let root = authority("Root", None);
    let signed = parsed.signed_by(&root.issuer).unwrap();
    let certificate = Certificate::from_der(signed.der()).unwrap();
    assert_eq!(certificate.common_name(), Some("CP-4711"));
    assert_eq!(certificate.organization(), Some("Example CPO"));
    assert!(key.belongs_to(&certificate));
    assert!(!PrivateKey::generate().unwrap().belongs_to(&certificate));
    assert!(PrivateKey::from_pem(&key.to_pem()).unwrap().belongs_to(&certificate));
    assert_eq!(format!("{key:?}"), "PrivateKey(..)");
    assert!(!request.contains("PRIVATE"));
}
