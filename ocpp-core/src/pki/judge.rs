//! Answers to what a station asks about certificates.

use jiff::Timestamp;

use super::{
    Certificate, CertificateHashData, HashAlgorithm, PrivateKey, Purpose, check_station_certificate, verify_chain,
};
use crate::station::{Answer, CertificateFacts, CertificateToJudge};

/// What an engine keeps of a certificate; `issuer` has signed it, a root is its own.
#[must_use]
pub fn facts(certificate: &Certificate, issuer: &Certificate) -> CertificateFacts {
    let hashes = HashAlgorithm::ALL.map(|algorithm| CertificateHashData::of(certificate, issuer, algorithm));
    CertificateFacts::new(hashes.to_vec(), certificate.not_before(), certificate.not_after())
}

/// Judges a certificate on behalf of an integrator, at this time: the answer to
/// [`QuestionKind::Certificate`](crate::station::QuestionKind::Certificate). `key` is the one that the question names, if the integrator has it.
#[must_use]
pub fn judge(question: &CertificateToJudge, key: Option<&PrivateKey>, at: Timestamp) -> Answer {
    let judged = match question {
        CertificateToJudge::Root { certificate, signed_by } => judge_root(certificate, signed_by.as_deref(), at),
        CertificateToJudge::Station { chain, roots, organization, may_be_early, .. } => {
            key.and_then(|key| judge_own(chain, key, roots, organization.as_deref(), *may_be_early, at))
        }
    };
    judged.map_or(Answer::Failed, Answer::Certificate)
}

/// 1.6 security, M05.FR.06, M05.FR.09, A00.FR.501 to A00.FR.503; M05.FR.07, M05.FR.11
fn judge_root(text: &str, signed_by: Option<&str>, at: Timestamp) -> Option<CertificateFacts> {
    let [root] = <[Certificate; 1]>::try_from(Certificate::chain_from_pem(text).ok()?).ok()?;
    let is_signed = match signed_by {
        // The one that is there already may come again.
        Some(old) => {
            let old = Certificate::from_pem(old).ok()?;
            root == old || root.is_signed_by(&old)
        }
        None => true,
    };
    let issuer = match signed_by {
        Some(old) if !root.is_self_issued() => Certificate::from_pem(old).ok()?,
        _ => root.clone(),
    };
    let is_root = root.is_ca() && root.key_strength().is_sufficient() && root.is_valid_at(at);
    (is_root && is_signed).then(|| facts(&root, &issuer))
}

/// 1.6 security, A02.FR.06, A03.FR.06; A02.FR.06
fn judge_own(
    text: &str,
    key: &PrivateKey,
    roots: &[String],
    organization: Option<&str>,
    may_be_early: bool,
    at: Timestamp,
) -> Option<CertificateFacts> {
    let chain = Certificate::chain_from_pem(text).ok()?;
    let own = chain.first()?;
    check_station_certificate(own, organization).ok()?;
    if !key.belongs_to(own) {
        return None;
    }
    let roots: Vec<_> = roots.iter().filter_map(|root| Certificate::from_pem(root).ok()).collect();
    let at = if may_be_early { at.max(own.not_before()) } else { at };
    if roots.is_empty() {
        // There is no hierarchy to be part of.
        own.is_valid_at(at).then_some(())?;
    } else {
        verify_chain(&chain, &roots, at, Purpose::Station, &[]).ok()?;
    }
    let issuer = chain.iter().skip(1).chain(&roots).find(|issuer| own.is_signed_by(issuer)).unwrap_or(own);
    Some(facts(own, issuer))
}
