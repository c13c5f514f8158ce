//! Whether a file was signed by the key of a certificate (1.6 security, L01.FR.11, L01.FR.12).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};

use super::{Certificate, KeyStrength};

/// Why a signature doesn't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The signature is not Base64.
    #[error("the signature is not Base64")]
    NotBase64,
    /// There is no way to verify signatures of such a key: it is too short, or neither RSA nor on P-256 or P-384.
    #[error("signatures of such a key can't be verified")]
    UnsupportedKey,
    /// The signature is not of this content by this key.
    #[error("the signature doesn't belong to this content and key")]
    Mismatch,
}

/// Verifies that `signature` (Base64) is that of `content` by the key of `signer`: RSA-PSS with a salt as long as the hash, or
/// ECDSA as a DER sequence, both over SHA-256 (A00.FR.506). Whether the signer is to be trusted is for
/// [`verify_chain`](super::verify_chain) to say.
///
/// # Errors
/// The signature doesn't hold, or can't be verified.
pub fn verify_signature(signer: &Certificate, content: &[u8], signature: &str) -> Result<(), SignatureError> {
    let signature: String = signature.split_ascii_whitespace().collect();
    let signature = STANDARD.decode(signature).map_err(|_| SignatureError::NotBase64)?;
    let algorithm: &dyn VerificationAlgorithm = match signer.key_strength() {
        KeyStrength::Rsa(2_048..=8_192) => &RSA_PSS_2048_8192_SHA256,
        KeyStrength::EllipticCurve(256) if signer.public_key().len() == 65 => &ECDSA_P256_SHA256_ASN1,
        KeyStrength::EllipticCurve(384) => &ECDSA_P384_SHA256_ASN1,
        _ => return Err(SignatureError::UnsupportedKey),
    };
    UnparsedPublicKey::new(algorithm, signer.public_key())
        .verify(content, &signature)
        .map_err(|_| SignatureError::Mismatch)
}
