dlm 1

/// Steps of a cart with a pole on it, as the app plays them: what was seen, what was done, and how that turned out.
data Steps from app {
  input  seen      : f32[Seen=4]
  target action    : category("left", "right")
  target chance    : number
  target advantage : number
  target gain      : number
}

/// What to do, as scores, and how many steps more are to be expected (in hundreds).
model Policy(seen: f32[B, Seen=4]) -> (action: [B, Action=2], value: [B]) {
  scores = seen -> actor: { Dense(64) -> tanh -> Dense(64) -> tanh -> Dense(2) }
  value  = seen -> critic: { Dense(64) -> tanh -> Dense(64) -> tanh -> Dense(1) -> squeeze }
  (action = scores, value = value)
}

/// Schulman et al. 2017: the chance of what was done moves by at most a fifth from what it was when it was done.
train Policy on Steps {
  now   = log_softmax(out.action) over Action
  ratio = exp((pick(now, action) over Action) - chance)
  near  = max(min(ratio, 1.2), 0.8)

  loss       policy = -mean(min(ratio * advantage, near * advantage)) over B,
             value = 0.5 * mse(out.value, gain),
             spread = 0.01 * mean(sum(exp(now) * now) over Action) over B
  optimizer  adam(1e-3)
  clip       0.5
  batch      256
}

deploy Policy {
  output  chances = softmax(out.action) over Action, value = out.value
}
