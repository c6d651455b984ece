dlm 1

use "@dlm/vision" (ResNet18, imagenet)

data Pets from folder("pets/{label}/*.jpg") {
  input   photo : image
  target  label : category as Breed

  resize  256, crop = 224
  augment flip(W, chance = 50%), color(0.2)
  split   train = 80%, valid = 10%, test = 10%, balance = label, seed = 7
}

let Breed = Pets.Breed

model PetNet(photo: u8[B, H=224, W=224, C=3]) -> [B, Breed] {
  backbone = ResNet18[..pool] from "resnet18.safetensors" {
    layout torch
    map  "conv1.weight"                     => "stem.conv.kernel"
    map  "bn1.*"                            => "stem.norm.*"
    map  "layer{s}.{i}.conv{k}.weight"      => "stage{s}.basic{i}.conv{k}.conv.kernel"
    map  "layer{s}.{i}.bn{k}.*"             => "stage{s}.basic{i}.conv{k}.norm.*"
    map  "layer{s}.{i}.downsample.0.weight" => "stage{s}.basic{i}.shortcut.conv.kernel"
    map  "layer{s}.{i}.downsample.1.*"      => "stage{s}.basic{i}.shortcut.norm.*"
    drop "fc.*", "*.num_batches_tracked"
  }

  photo
    -> normalize(imagenet)
    -> backbone
    -> dropout(0.2)
    -> head: Dense(Breed)
}

train PetNet on Pets {
  loss   cross_entropy(out, label, smooth = 0.1)
  batch  32

  stage head {
    freeze     backbone
    optimizer  adam(1e-3)
    epochs     3
  }
  stage finetune {
    thaw       backbone.stage4
    optimizer  adam(1e-5)
    epochs     10
    stop       early, watch = valid.loss, patience = 3
  }

  keep  best, by = valid.accuracy
}

evaluate PetNet on Pets.test {
  metrics  accuracy, top(5), roc_auc(one_vs_rest)
  require  accuracy >= 88%
}
