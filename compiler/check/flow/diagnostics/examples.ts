// Parts of programs that the examples of several diagnostics share.

/** A table of numbers, and a model of it that ends with what training and evaluation say. */
export const prices = `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  target price : number

  split  train = 80%, valid = 10%, test = 10%
}

model Price(house: Houses) -> [B] {
  house.numbers -> Standardize -> Dense(8) -> relu -> Dense(1) -> squeeze
}
`;

export const training = `
train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  batch     32
  epochs    10
}
`;
