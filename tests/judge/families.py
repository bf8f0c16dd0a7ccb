"""Every kind of causal model that transformers knows, as small as its config allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from tests.judge import tiny

TYPES = sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
CONTEXT, VOCABULARY = 64, 320
#: A value, and the settings that have it wherever a config or a part of one has them.
SIZES = (
    (32, "hidden_size d_model n_embd dim word_embed_proj_dim attention_hidden_size embedding_size lru_width emb_dim"),
    (32, "input_embedding_size output_embedding_size hidden_size_global out_hidden_size backbone_hidden_size"),
    (32, "pronunciation_embed_dim shape_embed_dim"),
    (2, "num_hidden_layers n_layer n_layers num_layers decoder_layers encoder_layers depth num_decoder_layers"),
    (2, "num_encoder_layers num_blocks num_global_layers num_layers_per_stack"),
    (4, "num_attention_heads n_head n_heads num_heads decoder_attention_heads encoder_attention_heads attention_heads"),
    (4, "num_encoder_attention_heads num_decoder_attention_heads swa_num_attention_heads index_n_heads"),
    (4, "linear_num_value_heads linear_num_key_heads linear_num_heads"),
    (2, "num_key_value_heads num_kv_heads swa_num_key_value_heads n_mamba_heads"),
    (48, "intermediate_size decoder_ffn_dim encoder_ffn_dim ffn_dim moe_intermediate_size dff dim_ff ffn_hidden_size"),
    (48, "shared_expert_intermediate_size expert_ffn_hidden_size shared_intermediate_size dense_intermediate_size"),
    (48, "feed_forward_size intermediate_size_mlp d_inner d_ff shared_experts_intermediate_size"),
    (48, "moe_shared_expert_intermediate_size"),
    (8, "head_dim swa_head_dim qk_rope_head_dim qk_nope_head_dim v_head_dim dim_head linear_head_dim rotary_dim"),
    (8, "linear_key_head_dim linear_value_head_dim attention_head_size d_kv kv_channels index_head_dim"),
    (4, "num_experts n_routed_experts num_local_experts moe_num_experts"),
    (1, "num_experts_per_tok moe_topk moe_k moe_top_k num_experts_per_token topk_group n_group num_expert_group"),
    (1, "num_shared_experts n_shared_experts moe_num_shared_experts"),
    (16, "kv_lora_rank q_lora_rank o_lora_rank laurel_rank hidden_size_per_layer_input"),
    (CONTEXT, "max_position_embeddings n_positions max_seq_len context_length n_ctx max_target_positions"),
    (VOCABULARY, "vocab_size vocab_size_per_layer_input decoder_vocab_size"),
    (0, "bos_token_id eos_token_id"),
    (1, "pad_token_id"),
)
SMALL = {name: value for value, names in SIZES for name in names.split()}
_ALL_HEADS = {"num_key_value_heads": 4}  # as many for keys as for queries
_MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_n_groups": 1, "mamba_d_state": 16}
_ZAMBA = {
    "num_hidden_layers": 4,
    "layers_block_type": ["linear_attention", "hybrid"] * 2,
    "attention_hidden_size": 64,
    "attention_head_dim": 16,
}
_ROPE = {"rope_type": "default", "rope_theta": 10000.0}
#: What one type needs besides.
MORE: dict[str, dict[str, Any]] = {
    "axk1": _ALL_HEADS,
    "axk2": _ALL_HEADS,
    "bamba": _MAMBA,
    "blt": {"encoder_hash_byte_group_vocab": 64},
    "cohere_compass_text": {"rope_parameters": {"full_attention": _ROPE, "sliding_attention": _ROPE}},
    "deepseek_v2": {**_ALL_HEADS, "num_experts_per_tok": 1},
    "deepseek_v3": _ALL_HEADS,
    "deepseek_v32": _ALL_HEADS,
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 1, "moe_intermediate_size": 48},
    "dots3_note": {"text_config": _ALL_HEADS},
    "dots3_note_text": _ALL_HEADS,
    "gemma3n_text": {"num_kv_shared_layers": 0},
    "glm4_moe_lite": _ALL_HEADS,
    "glm_moe_dsa": _ALL_HEADS,
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "granitemoehybrid": _MAMBA,
    "hunyuan_v1_dense": {"head_dim": 8},
    "hunyuan_v1_moe": {"head_dim": 8},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"]},
    "longcat_flash": {**_ALL_HEADS, "moe_topk": 2},
    "mamba2": {"num_heads": 8, "n_groups": 1},
    "minicpm3": _ALL_HEADS,
    "ministral": {"head_dim": 8},
    "nemotron": {"head_dim": 8, "num_key_value_heads": 2},
    "reformer": {
        "is_decoder": True,
        "axial_pos_shape": [8, 8],
        "axial_pos_embds_dim": [16, 16],
        "attn_layers": ["local", "lsh"],
    },
    "rwkv": {"rescale_every": 1},
    "xmod": {"default_language": "en_XX"},
    "youtu": _ALL_HEADS,
    "zamba": _ZAMBA,
    "zamba2": _ZAMBA,
}


def write(kind: str, folder: Path, **more: Any) -> Path:
    """A judge of a model type with random weights and the smallest config, `more` being settings of it. Raises what
    transformers raises."""
    settings = _small(CONFIG_MAPPING[kind](), {**MORE.get(kind, {}), **more})
    tiny.write_model(folder, CONFIG_MAPPING[kind](**settings))
    tiny.write_tokenizer(folder, tiny.byte_level(), tiny.END)
    return folder


def _small(default: Any, more: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {"vocab_size": VOCABULARY}
    for name, value in default.to_dict().items():
        if isinstance(value, dict) and isinstance(getattr(default, name), transformers.PreTrainedConfig):
            settings[name] = _small(getattr(default, name), more.get(name, {}))
        elif name in SMALL and (value is not None or name.endswith("_token_id")):
            settings[name] = SMALL[name]
    return {**settings, **{name: value for name, value in more.items() if not isinstance(settings.get(name), dict)}}
