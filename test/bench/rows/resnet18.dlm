dlm 1

use "../../../examples/cifar/resnet18.dlm" (ResNet18)

/// The benchmark gives random rows.
data Photos from app {
  input   photo : f32[H=224, W=224, C=3]
  target  label : int<1000>
}

train ResNet18 on Photos {
  loss       cross_entropy(out, label)
  optimizer  sgd(1e-2, momentum = 0.9)
  batch      8
}
