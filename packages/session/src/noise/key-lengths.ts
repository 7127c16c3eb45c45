/** Length of an X25519 public key, in bytes. */
export const DH_LENGTH = 32;
/** Length of an ML-KEM-768 public key. */
export const KEM_PUBLIC_KEY_LENGTH = 1184;
/** Length of an ML-KEM-768 ciphertext. */
export const KEM_CIPHERTEXT_LENGTH = 1088;
/** Length of the seed of an ML-KEM-768 key pair. */
export const KEM_SEED_LENGTH = 64;
/** Length of a pre-shared key (Noise §9.1). */
export const PSK_LENGTH = 32;
/** Longest Noise message, of a handshake or after it, in bytes (Noise §3). */
export const MAX_NOISE_MESSAGE_LENGTH = 65_535;
