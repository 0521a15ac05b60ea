"""Painting slowly: the original optimisation of Gatys, Ecker and Bethge ("Image Style Transfer Using Convolutional
Neural Networks", CVPR 2016) for any pair of pictures.

No network is trained: the picture itself is the variable, and VGG-19 judges it.
"""
