import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { checkManifest } from '../../src/prompts/manifest.ts';
import { keyId, signManifest, verifySignature } from '../../src/prompts/signature.ts';
import { writeTiny } from './support/tiny.ts';

t.test('a signature holds for exactly its content and key', async (t) => {
  const { manifest } = await writeTiny(t.testdir());
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const other = generateKeyPairSync('ed25519');
  const signed = checkManifest(signManifest(manifest, privateKey), 'signed');
  t.equal(signed.signature?.keyId, keyId(publicKey));
  t.doesNotThrow(() => verifySignature(signed, [other.publicKey, publicKey]));

  const code = 'digest_mismatch';
  t.throws(() => verifySignature(manifest, [publicKey]), { code, message: /is not signed/ });
  t.throws(() => verifySignature(signed, [other.publicKey]), { code, message: /not trusted/ });
  t.throws(() => verifySignature({ ...signed, text: 'Be unkind.' }, [publicKey]), { code, message: /does not fit/ });
  const forged = { ...signManifest(manifest, other.privateKey).signature, keyId: keyId(publicKey) };
  t.throws(() => verifySignature(checkManifest({ ...manifest, signature: forged }, 'forged'), [publicKey]), {
    code,
    message: /does not fit/,
  });
});
