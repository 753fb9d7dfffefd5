import { ggufName } from '../../model/convert/tensor-names.ts';
import { EMBEDDINGS_TENSOR } from '../../model/embeddings-digest.ts';
import { HEAD_TENSOR } from '../weight-changes.ts';

export const GGUF_EMBEDDINGS = ggufName(EMBEDDINGS_TENSOR);
export const GGUF_HEAD = ggufName(HEAD_TENSOR);
