/** What other frameworks call things: the names of this library that are meant by them. */

const layers: Readonly<Record<string, string>> = {
  linear: "Dense",
  fullyconnected: "Dense",
  embedding: "Embed",
  conv2d: "Conv",
  convolution: "Conv",
  conv1d: "Conv1",
  conv3d: "Conv3",
  depthwiseconv2d: "Depthwise",
  separableconv2d: "Separable",
  convtranspose2d: "Upconv",
  conv2dtranspose: "Upconv",
  batchnormalization: "BatchNorm",
  batchnorm1d: "BatchNorm",
  batchnorm2d: "BatchNorm",
  layernormalization: "LayerNorm",
  groupnormalization: "GroupNorm",
  normalization: "Standardize",
  maxpool2d: "maxpool",
  maxpooling2d: "maxpool",
  avgpool2d: "avgpool",
  averagepooling2d: "avgpool",
  globalaveragepooling2d: "global_avgpool",
  upsampling2d: "upsample",
  dropout2d: "channel_dropout",
  spatialdropout2d: "channel_dropout",
  droppath: "path_dropout",
  leakyrelu: "leaky_relu",
  swish: "silu",
  concatenate: "concat",
  cat: "concat",
  einsum: "dot",
  matmul: "dot",
  mean_squared_error: "mse",
  mseloss: "mse",
  mean_absolute_error: "mae",
  l1loss: "mae",
  smooth_l1: "huber",
  crossentropyloss: "cross_entropy",
  categorical_crossentropy: "cross_entropy",
  sparse_categorical_crossentropy: "cross_entropy",
  binary_crossentropy: "bce",
  bcewithlogitsloss: "bce",
  ctcloss: "ctc",
  ctc_loss: "ctc",
  xavier: "glorot",
  kaiming: "he",
};

const parameters: Readonly<Record<string, readonly string[]>> = {
  units: ["Out", "D"],
  filters: ["Out"],
  features: ["Out", "D"],
  out_features: ["Out"],
  out_channels: ["Out"],
  channels: ["Out"],
  embedding_dim: ["D"],
  kernel: ["size"],
  kernel_size: ["size"],
  pool_size: ["size"],
  padding: ["pad"],
  strides: ["stride"],
  use_bias: ["bias"],
  kernel_initializer: ["init"],
  epsilon: ["eps"],
  p: ["rate"],
  lr: ["rate"],
  learning_rate: ["rate"],
  beta_1: ["beta1"],
  beta_2: ["beta2"],
  weight_decay: ["decay"],
  label_smoothing: ["smooth"],
  ignore_index: ["ignore"],
  input_lengths: ["steps"],
};

/** The name that is meant by another framework's, where it is among the visible ones. */
export function otherName(name: string, visible: readonly string[]): string | undefined {
  const meant = lookUp(layers, name.toLowerCase());
  return meant !== undefined && visible.includes(meant) ? meant : undefined;
}

export function otherParameter(name: string, known: readonly string[]): string | undefined {
  return lookUp(parameters, name.toLowerCase())?.find((each) => known.includes(each));
}

function lookUp<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
