// The shape of a Llama-like model (Llama 3, Qwen 2.5, Qwen 3): what its config.json says, in our
// words. Plain values; read by llama_json.
#pragma once

#include "engine/model/model_shape.h"

namespace baton {

/// rope_dim is head_dim: the whole head is rotated, in halves.
struct LlamaConfig : ModelShape {
  int kv_heads = 0;       // divides num_heads
  int inter = 0;          // of the MLP
  bool qkv_bias = false;  // of the query, key and value projections
  bool out_bias = false;  // of the output projection
  bool qk_norm = false;   // every head of queries and keys is normalised before it is rotated
  bool tied = false;      // the head is the embedding

  int HeadDim() const { return rope_dim; }
};

}  // namespace baton
